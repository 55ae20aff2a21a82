"""A timeline as notebooks read it."""

import shutil

from sagehound.profile.notebook.algorithm_metrics_reader import LocalAlgorithmMetricsReader
from sagehound.profile.notebook.time_units import TimeUnits
from tests.profile.notebook.profiles import Written, written  # noqa: F401


def test_every_event_is_there_in_the_order_of_its_start(written: Written):  # noqa: F811
    reader = LocalAlgorithmMetricsReader(written.path)
    events = reader.get_events(0, reader.get_timestamp_of_latest_available_file())
    assert len(events) == written.profile.timeline.num_rows
    assert [e.start_time for e in events] == sorted(e.start_time for e in events)
    step, phase, *_ = events
    assert (step.event_name, step.event_phase, step.step) == ("Step:ModeKeys.TRAIN", "Step:ModeKeys.TRAIN", 0)
    assert step.event_args == {"pid": 100, "step_num": "0", "mode": "TRAIN"}
    assert {e.node_id for e in events} == {"algo-1-100", "algo-2-101"}
    assert phase.end_time == phase.start_time + phase.duration


def test_events_that_were_going_on_are_found(written: Written):  # noqa: F811
    reader = LocalAlgorithmMetricsReader(written.path)
    moment_s = written.first_us / 1e6 + 8
    found = reader.get_events(moment_s, moment_s, TimeUnits.SECONDS)
    assert {e.node_id for e in found} == {"algo-1-100", "algo-2-101"}
    assert all(e.start_time <= moment_s * 1e6 <= e.end_time for e in found)
    assert {e.event_name.partition(":")[0] for e in found} & {"Step"}


def test_files_are_chosen_by_their_ends(written: Written):  # noqa: F811
    reader = LocalAlgorithmMetricsReader(written.path)
    latest = reader.get_timestamp_of_latest_available_file()
    assert reader.get_events(0, latest, file_suffix_filter=["model_timeline.json"]) == []
    assert reader.get_events(0, latest, file_suffix_filter=["pythontimeline.json"])


def test_steps_are_a_stretch_of_time(written: Written):  # noqa: F811
    reader = LocalAlgorithmMetricsReader(written.path)
    own = [
        e.step for e in reader.get_events_by_step(10, 12) if e.node_id == "algo-1-100" and e.event_phase == "Forward"
    ]
    assert own == [10, 11]
    assert reader.get_events_by_step(10, 9999) == []


def test_nothing_is_no_error(tmp_path):
    reader = LocalAlgorithmMetricsReader(tmp_path)
    assert reader.get_current_time_range_for_event_query() == (0, 0)
    assert (reader.get_events(0, 1e18), reader.get_events_by_step(0, 1)) == ([], [])


def test_what_is_cached_is_read_anew_when_it_grew(tmp_path, written: Written):  # noqa: F811
    shutil.copytree(written.path, tmp_path / "copy")
    file = sorted((tmp_path / "copy").rglob("*timeline.json"))[0]
    whole = file.read_text()
    file.write_text(whole[: len(whole) // 2])
    reader = LocalAlgorithmMetricsReader(tmp_path / "copy", use_in_memory_cache=True)
    before = len(reader.get_events(0, 1e18))
    assert 0 < before < written.profile.timeline.num_rows == 2 * (60 + 10) + 2 * (60 * 6 + 10 * 4)
    file.write_text(whole)
    assert len(reader.get_events(0, 1e18)) == written.profile.timeline.num_rows
    assert len(reader.get_events(0, 1e18)) == written.profile.timeline.num_rows
