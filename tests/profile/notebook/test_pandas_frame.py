"""A profile as frames."""

import pandas as pd
import pytest

from sagehound.profile.notebook.pandas_frame import PandasFrame
from tests.profile.notebook.profiles import Written, written  # noqa: F401


@pytest.fixture
def frame(written: Written) -> PandasFrame:  # noqa: F811
    return PandasFrame(str(written.path))


def test_system_metrics_have_the_originals_columns(frame, written: Written):  # noqa: F811
    got = frame.get_all_system_metrics()
    columns = ["timestamp", "timestamp_us", "value", "system_metric", "dimension", "nodeID", "type"]
    assert list(got.columns) == columns and len(got) == written.profile.system.num_rows
    first = got.iloc[0]
    assert (first["timestamp"], first["timestamp_us"]) == ("2023-11-14T22:13:20:000000", 0)
    assert set(got["dimension"]) == set(written.profile.system["dimension"].to_pylist())
    assert set(got[got["system_metric"] == "gpu0"]["type"]) == {"gpu"}


def test_system_metrics_of_some_names(frame):
    assert set(frame.get_all_system_metrics(["cpu0"])["system_metric"]) == {"cpu0"}


def test_framework_metrics_have_the_originals_columns(frame, written: Written):  # noqa: F811
    got = frame.get_all_framework_metrics()
    assert list(got.columns) == [
        *("start_time", "end_time", "start_time_us", "end_time_us", "tid", "pid"),
        *("framework_metric", "step", "bytes", "process", "nodeID"),
    ]
    assert len(got) == written.profile.timeline.num_rows
    first = got.iloc[0]
    assert (first["start_time"], first["start_time_us"]) == ("2023-11-14T22:13:25:000000", 5_000_000)
    assert (first["framework_metric"], first["step"], first["bytes"]) == ("Step:ModeKeys.TRAIN", 0, -1)
    assert set(frame.get_all_framework_metrics(["Forward"])["process"]) == {"Forward"}


def test_a_stretch_of_time(frame, written: Written):  # noqa: F811
    begin = written.first_us + 6_000_000
    system, framework = frame.get_profiler_data_by_time(begin, begin + 1_000_000)
    assert system["timestamp_us"].between(6_000_000, 7_000_000).all() and len(system)
    assert (framework["end_time_us"] >= 6_000_000).all() and (framework["start_time_us"] <= 7_000_000).all()
    system, framework = frame.get_profiler_data_by_time(begin, begin + 1_000_000, get_system_metrics=False)
    assert (len(system), len(framework) > 0) == (0, True)


def test_steps(frame):
    system, framework = frame.get_profiler_data_by_step(10, 12)
    assert set(framework["step"]) == {10, 11, 12} and len(system)


def test_what_was_going_on(frame):
    begin, end = "2023-11-14T22:13:26:000000", "2023-11-14T22:13:27:000000"
    rows, names = frame.get_framework_metrics_by_begin_and_end_timesteps([begin], [end])
    assert (rows["Backward(post-forward)"], names["backward"]) == (1.0, 1.0)
    assert 0 < rows["Forward"] < 1
    rows, names, steps = frame.get_framework_metrics_by_timesteps([begin, end])
    assert list(steps) == ["Step:ModeKeys.TRAIN"] and max(rows.values()) == 1.0
    assert frame.get_framework_metrics_by_timesteps([]) == ({}, {}, {})


def test_the_loaders_columns(frame):
    got = frame.get_all_dataloader_metrics(["DataLoader"])
    assert {"worker_id", "num_workers", "pin_memory", "duration_us", "node_id"} <= set(got.columns)
    assert set(got["framework_metric"]) == {"loader"} and (got["duration_us"] > 0).all()


def test_nothing_is_an_empty_frame(tmp_path):
    frame = PandasFrame(str(tmp_path))
    assert isinstance(frame.get_all_system_metrics(), pd.DataFrame)
    assert (len(frame.get_all_system_metrics()), len(frame.get_all_framework_metrics())) == (0, 0)
