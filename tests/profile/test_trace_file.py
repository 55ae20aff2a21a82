import json
from pathlib import Path
from typing import Any

from sagehound.profile.process_name import ProcessName
from sagehound.profile.step_record import StepRecord
from sagehound.profile.trace_file import TraceFiles
from sagehound.profile.trace_format import PHASES, STEPS, node_in
from sagehound.profile.wall_clock import WallClock

NOW_S = 1_700_000_000.0


class Fixture:
    def __init__(self, folder: Path, **limits: float) -> None:
        self.now_s = NOW_S
        self.clock = WallClock()
        self.folder = folder
        self.zero_ns = int(NOW_S * 1e9) - self.clock.epoch_ns(0)
        self.files = TraceFiles(
            folder,
            ProcessName("algo-2", 7),
            self.clock,
            now_s=lambda: self.now_s,
            **limits,  # type: ignore[arg-type]
        )

    def step(self, index: int, mode: str = "TRAIN") -> None:
        start = self.zero_ns + index * 10_000_000
        phases = (("loader", start, start + 2_000_000), ("forward", start + 4_000_000, start + 9_990_000))
        self.files.step(StepRecord(mode, index, start, start + 10_000_000, phases))

    def written(self) -> list[list[dict[str, Any]]]:
        return [json.loads(path.read_text()) for path in sorted(self.folder.rglob("*.json"))]


def test_the_documented_layout(tmp_path: Path) -> None:
    fixture = Fixture(tmp_path)
    fixture.step(0)
    fixture.files.close()
    [path] = tmp_path.rglob("*.json")
    assert path.relative_to(tmp_path).as_posix() == (
        "framework/pevents/2023111422/1700000060000000_7-algo-2_pythontimeline.json"
    )
    assert node_in(path.name) == ("algo-2", 7)
    [events] = fixture.written()
    assert events[0]["args"]["start_time_since_epoch_in_micros"] == 1_700_000_000_000_000
    names = {event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"}
    assert (
        names[STEPS["TRAIN"][0]] == "Step:ModeKeys.TRAIN" and names[PHASES["backward"][0]] == "Backward(post-forward)"
    )
    assert events[-4:] == [
        _event("Step:ModeKeys.TRAIN", "step", STEPS["TRAIN"][0], 0, 10_000),
        _event("loader", "phase", PHASES["loader"][0], 0, 2_000),
        _event("forward", "phase", PHASES["forward"][0], 4_000, 5_990),
        _event("rest", "phase", PHASES["rest"][0], 2_000, 2_000),
    ]


def _event(name: str, category: str, row: int, start: int, duration: int) -> dict[str, Any]:
    args = {"pid": 7, "step_num": "0", "mode": "TRAIN"}
    times = {"ts": start, "dur": duration}
    return {"name": name, "cat": category, "ph": "X", "pid": row, "tid": 1, **times, "args": args}


def test_a_file_is_whole_after_every_flush(tmp_path: Path) -> None:
    fixture = Fixture(tmp_path)
    for index in range(5):
        fixture.step(index, "EVAL" if index % 2 else "TRAIN")
        fixture.files.flush()
        [events] = fixture.written()
        assert [int(event["args"]["step_num"]) for event in events if event.get("cat") == "step"] == [*range(index + 1)]


def test_files_are_closed_by_time_and_by_size(tmp_path: Path) -> None:
    fixture = Fixture(tmp_path, close_s=5, max_bytes=4000)
    for index in range(3):
        fixture.now_s = NOW_S + 6 * index
        fixture.files.rotate()
        fixture.step(index)
        fixture.files.flush()
    for index in range(3, 30):
        fixture.now_s += 0.1
        fixture.files.rotate()
        fixture.step(index)
        fixture.files.flush()
    fixture.files.close()
    written = fixture.written()
    assert len(written) > 5
    steps = [int(event["args"]["step_num"]) for events in written for event in events if event.get("cat") == "step"]
    assert steps == list(range(30))


def test_nothing_is_made_before_there_is_a_step(tmp_path: Path) -> None:
    fixture = Fixture(tmp_path)
    fixture.files.flush()
    fixture.files.rotate()
    fixture.files.close()
    assert not list(tmp_path.iterdir())
