"""Samples as notebooks read them."""

import pytest

from sagehound.errors import InvalidInput
from sagehound.profile.notebook.system_metrics_reader import LocalSystemMetricsReader, S3SystemMetricsReader
from sagehound.profile.notebook.time_units import TimeUnits
from tests.profile.notebook.profiles import Written, written  # noqa: F401


def test_everything_is_between_the_first_and_the_latest(written: Written):  # noqa: F811
    reader = LocalSystemMetricsReader(written.path)
    first, last = reader.get_timestamp_of_first_available_file(), reader.get_timestamp_of_latest_available_file()
    assert first == written.first_us
    assert len(reader.get_events(first, last)) == len(reader.get_events(0, last)) == written.profile.system.num_rows


def test_events_have_the_documented_fields(written: Written):  # noqa: F811
    reader = LocalSystemMetricsReader(written.path)
    (event, *_) = reader.get_events(written.first_us / 1e6, written.first_us / 1e6, TimeUnits.SECONDS, "gpu")
    assert (event.type, event.name, event.dimension, event.node_id) == ("gpu", "gpu0", "GPUUtilization", "algo-1")
    assert event.timestamp == written.first_us / 1e6 and 0 <= event.value <= 100


def test_a_stretch_of_time_includes_both_ends(written: Written):  # noqa: F811
    reader = LocalSystemMetricsReader(written.path)
    times = [e.timestamp for e in reader.get_events(written.first_us + 1_000_000, written.first_us + 2_000_000)]
    assert {round(t - written.first_us / 1e6, 3) for t in times} == {1.0, 1.5, 2.0}


def test_nothing_yet_then_something(tmp_path, written: Written):  # noqa: F811
    reader = LocalSystemMetricsReader(tmp_path / "later")
    assert reader.get_timestamp_of_latest_available_file() == reader.get_timestamp_of_first_available_file() == 0
    assert reader.get_events(0, 1e18) == []
    (tmp_path / "later").symlink_to(written.path)
    reader.refresh_event_file_list()
    assert reader.get_timestamp_of_latest_available_file() > written.first_us
    assert reader.get_events(0, 1e18)


def test_an_s3_reader_is_given_an_s3_uri(tmp_path):
    with pytest.raises(InvalidInput, match="s3://bucket/prefix"):
        S3SystemMetricsReader(str(tmp_path))
