"""Long timelines stay small in memory."""

from dataclasses import replace

import pyarrow.compute as pc
import pytest

from sagehound.profile.trace_rows import TraceRows
from sagehound.testing.profile_files import write_profile
from sagehound.testing.recorded_profile import healthy


def rows_of(recorded, folder, limit: int) -> TraceRows:
    output = write_profile(recorded.profile, folder)
    rows = TraceRows(limit)
    for path in sorted(output.rglob("*timeline.json")):
        rows.feed(path.name, path.read_bytes())
    return rows


def test_one_step_in_many_is_kept_whole_with_its_phases(tmp_path):
    recorded = replace(healthy(), steps=1000, eval_every=0, slow_steps={})
    rows = rows_of(recorded, tmp_path, 2000)
    table = rows.table()
    assert rows.one_in == 4 and table.num_rows == 250 * 7
    assert set(table["step"].to_pylist()) == set(range(0, 1000, 4))
    assert rows.problems[0].startswith("the timeline is long: one step in 4 was read")


def test_long_steps_are_kept(tmp_path):
    recorded = replace(healthy(), steps=1000, eval_every=0, slow_steps={501: 9.0, 903: 6.0})
    table = rows_of(recorded, tmp_path, 1000).table()
    for step in (501, 903):
        assert pc.sum(pc.equal(table["step"], step)).as_py() == 7


def test_phases_keep_their_shares(tmp_path):
    recorded = replace(healthy(), steps=1000, eval_every=0)
    every, few = rows_of(recorded, tmp_path, 10**6).table(), rows_of(recorded, tmp_path, 1000).table()

    def share(table):
        sums = table.group_by("name").aggregate([("duration_s", "sum")]).to_pydict()
        by_name = dict(zip(sums["name"], sums["duration_s_sum"], strict=True))
        return by_name["backward"] / by_name["step"]

    assert few.num_rows < 1000 < every.num_rows
    assert share(few) == pytest.approx(share(every), rel=0.01)


def test_a_short_timeline_is_read_whole(tmp_path):
    recorded = replace(healthy(), steps=50)
    rows = rows_of(recorded, tmp_path, 10_000)
    assert (rows.one_in, rows.problems, rows.table().num_rows) == (1, (), recorded.profile.timeline.num_rows)


def test_rows_without_steps_do_not_loop(tmp_path):
    rows = TraceRows(10)
    event = '{"name":"x","cat":"window","ph":"X","ts":1,"dur":2,"pid":1,"args":{}}'
    head = '{"name":"process_name","ph":"M","pid":0,"args":{"start_time_since_epoch_in_micros":5}}'
    rows.feed("1_1-algo-1_pythontimeline.json", ("[" + ",\n".join([head, *[event] * 50]) + "]").encode())
    assert rows.table().num_rows == 50
