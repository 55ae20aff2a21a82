import json
from pathlib import Path
from typing import Any

from sagehound.profile.operators import read_operators, summed, write_operators
from sagehound.profile.process_name import ProcessName

SCRIPT = "train.py(7): step"


def event(kind: str, name: str, ts: float, dur: float, tid: int = 1, **args: Any) -> dict[str, Any]:
    return {"ph": "X", "cat": kind, "name": name, "pid": 1, "tid": tid, "ts": ts, "dur": dur, "args": args}


EVENTS = [
    event("python_function", SCRIPT, 0, 100),
    event("python_function", "torch/nn/modules/linear.py(1): forward", 1, 50),
    event("cpu_op", "aten::linear", 10, 30),
    event("cpu_op", "aten::addmm", 15, 20),
    event("cpu_op", "aten::linear", 60, 10),
    event("cpu_op", "AddmmBackward0", 70, 9, tid=2),
    event("user_annotation", "ProfilerStep#1", 0, 100),
    event("kernel", "sgemm", 20, 40, tid=9),
    {"ph": "i", "name": "[memory]", "tid": 1, "ts": 16, "args": {"Bytes": 64}},
    {"ph": "i", "name": "[memory]", "tid": 1, "ts": 34, "args": {"Bytes": -64}},
    {"ph": "M", "name": "process_name", "pid": "x", "tid": "y", "args": {"name": "python"}},
]


def trace() -> bytes:
    return json.dumps({"traceEvents": EVENTS}).encode()


def test_self_time_is_without_what_is_called_within() -> None:
    found = {(one.name, one.device): one for one in summed(trace())}
    linear = found["aten::linear", "cpu"]
    assert (linear.calls, linear.self_us, linear.total_us) == (2, 20, 40)
    assert found["aten::addmm", "cpu"].allocated_bytes == 64
    assert (found["sgemm", "cuda"].self_us, found["sgemm", "cuda"].total_us) == (40, 40)
    assert not any(name.startswith("Profiler") or "linear.py" in name for name, _ in found)


def test_the_summary_has_the_script_s_line(tmp_path: Path) -> None:
    file, path = tmp_path / "1-algo-1.trace.json", tmp_path / "1-algo-1.operators.json"
    file.write_bytes(trace())
    write_operators(path, file, ProcessName("algo-1", 1), (3, 2), memory=True)
    document = json.loads(path.read_bytes())
    assert (document["first_step"], document["steps"], document["trace"]) == (3, 2, file.name)
    rows = {row["name"]: row for row in read_operators(path.read_bytes())}
    assert rows["aten::addmm"]["stack"] == SCRIPT and rows["AddmmBackward0"]["stack"] == ""
    assert rows["aten::addmm"]["self_s"] == 2e-5 and rows["aten::addmm"]["node"] == "algo-1"
    assert [row["self_s"] for row in document["operators"]] == sorted(
        (r["self_s"] for r in rows.values()), reverse=True
    )


def test_what_is_no_summary_has_no_rows() -> None:
    assert list(read_operators(b"{}")) == list(read_operators(b"[1,")) == []
