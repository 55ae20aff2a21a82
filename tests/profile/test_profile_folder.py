"""A profile is read from its files, whatever state they are in."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sagehound.errors import InvalidInput
from sagehound.profile.profile import JobFacts, Profile
from sagehound.profile.profile_folder import ProfileFolder, read_profile
from sagehound.profile.series import series_of
from sagehound.profile.tables import CURVES, OPERATORS, SYSTEM, TIMELINE
from sagehound.testing.profile_files import write_profile
from sagehound.testing.recorded_profile import RecordedProfile, healthy

JOB = JobFacts(name="job")


def system_files(output: Path) -> list[Path]:
    return sorted((output / "system").rglob("*.json"))


def trace_files(output: Path) -> list[Path]:
    return sorted((output / "framework").rglob("*timeline.json"))


def rows(table: pa.Table) -> list[tuple]:
    return sorted(
        tuple(round(value, 5) if isinstance(value, float) else value for value in row.values())
        for row in table.to_pylist()
    )


@pytest.fixture
def recorded() -> Profile:
    return replace(healthy(), nodes=("algo-1", "algo-2"), steps=60, gpus=1).profile


def test_what_was_written_is_read(tmp_path, recorded):
    output = write_profile(recorded, tmp_path)
    profile = read_profile(output, JOB, tmp_path / "metrics.jsonl")
    assert (profile.system.schema, profile.timeline.schema) == (SYSTEM, TIMELINE)
    assert (profile.operators.schema, profile.curves.schema) == (OPERATORS, CURVES)
    for name in ("system", "timeline", "operators", "curves"):
        assert rows(getattr(profile, name)) == rows(getattr(recorded, name))
    assert profile.job.problems == ()
    assert (profile.job.facts["batch_size"], profile.job.facts["loader_workers"]) == (32, 2)


def test_tables_are_sorted_by_time(tmp_path, recorded):
    profile = read_profile(write_profile(recorded, tmp_path), JOB, tmp_path / "metrics.jsonl")
    for table, column in ((profile.system, "timestamp_s"), (profile.timeline, "start_s")):
        assert (np.diff(table[column].to_numpy()) >= 0).all()
    first = profile.timeline.slice(0, 1).to_pylist()[0]
    assert (first["category"], first["step"], first["mode"]) == ("step", 0, "TRAIN")


@pytest.mark.parametrize("made", [True, False])
def test_nothing_there_is_an_empty_profile(tmp_path, made):
    if made:
        (tmp_path / "profiler-output/system/incremental").mkdir(parents=True)
    profile = read_profile(tmp_path / "profiler-output", JOB, tmp_path / "metrics.jsonl")
    assert [t.num_rows for t in (profile.system, profile.timeline, profile.operators, profile.curves)] == [0] * 4
    assert (profile.job, series_of(profile.system)) == (JOB, ())


def test_a_file_is_no_profile(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="is a file: give the folder"):
        read_profile(tmp_path / "file", JOB)


def test_a_job_that_died_in_its_first_second_leaves_what_it_did(tmp_path):
    recorded = RecordedProfile(steps=0, init_s=0.4, final_s=0.4).profile
    output = write_profile(recorded, tmp_path)
    profile = read_profile(output, JOB)
    assert (profile.system.num_rows, profile.timeline.num_rows) == (recorded.system.num_rows, 0)
    (tmp_path / "profiler-output/framework/pevents/2023111422").mkdir(parents=True)
    (tmp_path / "profiler-output/framework/pevents/2023111422/1_1-algo-1_pythontimeline.json").write_text("")
    assert read_profile(output, JOB).job.problems == ()


def test_a_last_line_that_is_cut_is_told(tmp_path, recorded):
    output = write_profile(recorded, tmp_path)
    last = system_files(output)[-1]
    last.write_text(last.read_text()[:-20])
    profile = read_profile(output, JOB)
    assert profile.system.num_rows == recorded.system.num_rows - 1
    assert profile.job.problems == (f"the last line of {last.relative_to(output)} is cut off",)


def test_a_last_line_that_nothing_ends_counts(tmp_path, recorded):
    output = write_profile(recorded, tmp_path)
    last = system_files(output)[-1]
    last.write_text(last.read_text().rstrip("\n"))
    profile = read_profile(output, JOB)
    assert (profile.system.num_rows, profile.job.problems) == (recorded.system.num_rows, ())


@pytest.mark.parametrize("damage", [b"\x00\xff garbage", b'{"Dimension":"CPUUtilization"}', b'{"Value":"high"}'])
def test_damaged_lines_are_left_out_and_told(tmp_path, recorded, damage):
    output = write_profile(recorded, tmp_path)
    first = system_files(output)[0]
    lines = first.read_bytes().split(b"\n")
    lines[3] = damage
    first.write_bytes(b"\n".join(lines))
    profile = read_profile(output, JOB)
    assert profile.system.num_rows == recorded.system.num_rows - 1
    name = first.relative_to(output)
    assert profile.job.problems == (f"1 line of system metrics could not be read, the first in {name}",)


def test_a_clock_that_goes_back_is_told_and_the_table_is_sorted(tmp_path):
    recorded = replace(healthy(), steps=20, cores=1).profile
    output = write_profile(recorded, tmp_path)
    file = system_files(output)[-1]
    moved = [json.loads(line) for line in file.read_text().splitlines()]
    for line in moved[len(moved) // 2 :]:
        line["Timestamp"] -= 3600
    file.write_text("".join(f"{json.dumps(line)}\n" for line in moved))
    profile = read_profile(output, JOB)
    assert profile.system.num_rows == recorded.system.num_rows
    assert (np.diff(profile.system["timestamp_s"].to_numpy()) >= 0).all()
    (problem,) = profile.job.problems
    assert problem.startswith("the clock went back 1 time, by up to 3600 s, first in system/")


@pytest.mark.parametrize("cut", [1, 3, 20, 90, 200])
def test_a_timeline_that_is_cut_is_read_up_to_there(tmp_path, cut):
    recorded = replace(healthy(), steps=10).profile
    output = write_profile(recorded, tmp_path)
    file = trace_files(output)[-1]
    file.write_bytes(file.read_bytes()[:-cut])
    profile = read_profile(output, JOB)
    assert recorded.timeline.num_rows - 3 <= profile.timeline.num_rows <= recorded.timeline.num_rows
    assert set(rows(profile.timeline)) <= set(rows(recorded.timeline))


def test_a_timeline_without_its_beginning_is_left_out_and_told(tmp_path):
    output = write_profile(replace(healthy(), steps=10).profile, tmp_path)
    file = trace_files(output)[0]
    file.write_text("[\n" + "\n".join(file.read_text().splitlines()[2:]))
    profile = read_profile(output, JOB)
    assert profile.timeline.num_rows == 0
    assert "does not say what its times count from" in profile.job.problems[0]


def test_the_original_profilers_timeline_is_read(tmp_path):
    folder = tmp_path / "framework/pevents/2020060500"
    folder.mkdir(parents=True)
    record = {"ph": "X", "pid": 1, "tid": 0, "args": {"step_num": "4", "pid": 33}}
    events = [
        {"name": "process_name", "ph": "M", "pid": 0, "args": {"start_time_since_epoch_in_micros": 5_000_000}},
        {"name": "process_name", "ph": "M", "pid": 1, "args": {"name": "Step:ModeKeys.TRAIN"}},
        {"name": "process_name", "ph": "M", "pid": 2, "args": {"name": "Forward-node"}},
        {**record, "name": "Step:ModeKeys.TRAIN", "ts": 100, "dur": 50},
        {**record, "name": "Conv2d", "pid": 2, "ts": 110, "dur": 20, "args": None},
    ]
    (folder / "6000000_algo-3_pythontimeline.json").write_text(json.dumps(events))
    first, second = read_profile(tmp_path, JOB).timeline.to_pylist()
    assert (first["category"], first["mode"], first["step"], first["pid"]) == ("step", "TRAIN", 4, 33)
    assert (first["node"], first["start_s"], first["duration_s"]) == ("algo-3", 5.0001, 0.00005)
    assert (second["category"], second["name"], second["step"]) == ("phase", "forward", -1)


def test_what_is_added_is_read_and_nothing_twice(tmp_path, recorded):
    whole = write_profile(recorded, tmp_path / "whole")
    growing = tmp_path / "growing"
    folder, told = ProfileFolder(growing), []
    for part in (0, 0.3, 0.7, 1.0, 1.0):
        for path in (*system_files(whole), *trace_files(whole)):
            data = path.read_bytes()
            copy = growing / path.relative_to(whole)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(data[: int(len(data) * part)])
        told.append(folder.refresh())
        folder.profile(JOB)
    assert told == [False, True, True, True, False]
    profile = folder.profile(JOB)
    assert (rows(profile.system), rows(profile.timeline)) == (rows(recorded.system), rows(recorded.timeline))
    assert profile.job.problems == ()


def test_saved_losses_are_curves_where_the_script_printed_none(tmp_path):
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_text('{"name":"loss","value":1.5,"at":10.0}\n{"name":"loss","value":null,"at":11.0}\nnonsense\n')
    losses = [(5.0, "loss", 9.0), (6.0, "CrossEntropyLoss_output_0", 2.0)]
    profile = read_profile(tmp_path, JOB, metrics, losses)
    assert profile.curves.to_pylist() == [
        {"timestamp_s": 6.0, "name": "CrossEntropyLoss_output_0", "value": 2.0},
        {"timestamp_s": 10.0, "name": "loss", "value": 1.5},
    ]
    assert profile.job.problems == ("1 lines of the job's metrics could not be read",)


def test_what_the_service_knows_goes_before_what_the_training_saw(tmp_path, recorded):
    output = write_profile(recorded, tmp_path)
    job = replace(JOB, facts={"batch_size": 64}, problems=("known before",))
    profile = read_profile(output, job)
    assert (profile.job.facts["batch_size"], profile.job.facts["loader_workers"]) == (64, 2)
    assert profile.job.problems == ("known before",)
