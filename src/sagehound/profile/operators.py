"""The operators in a trace of torch.profiler, summed.

`<pid>-<node>.operators.json` beside the trace:

    {"node": "algo-1", "pid": 4711, "first_step": 0, "steps": 10, "trace": "4711-algo-1.trace.json",
     "operators": [{"name": "aten::conv2d", "device": "cpu", "calls": 80, "self_s": 0.01, "total_s": 0.2,
                    "stack": "train.py(12): forward", "allocated_bytes": 0}, ...]}

sorted by `self_s`, the largest first. `device` is "cpu", or "cuda" for what ran on a GPU (kernels, copies). `self_s` is
without the operators called within; Python's own time counts for the operator or annotation around it. `stack` is the
line of the script, outside of installed packages where there is one, under which the operator spent most of its time;
"" where stacks were not asked for, or the autograd's own thread called it. `allocated_bytes` is there where memory was
asked for.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from sagehound.profile.process_name import ProcessName

_CPU = frozenset(("cpu_op", "user_annotation"))
_DEVICE = frozenset(("kernel", "gpu_memcpy", "gpu_memset"))
_PYTHON = "python_function"
_MEMORY = "[memory]"
#: torch.profiler's own marks of steps.
_STEP = "ProfilerStep#"
_LINE = re.compile(r"\.pyx?\(\d+\): ")
_INSTALLED = re.compile(r"(^|/)(site-packages|dist-packages|torch|python3\.\d+|sagehound)/|^<")


class _Args(msgspec.Struct, gc=False):
    bytes: int = msgspec.field(name="Bytes", default=0)


class _Event(msgspec.Struct, gc=False):
    name: str = ""
    kind: str = msgspec.field(name="cat", default="")
    phase: str = msgspec.field(name="ph", default="")
    thread: int | str = msgspec.field(name="tid", default=0)
    ts: float = 0.0
    dur: float = 0.0
    args: _Args | None = None


class _Trace(msgspec.Struct, gc=False):
    events: list[_Event] = msgspec.field(name="traceEvents", default_factory=list)


@dataclass
class Operator:
    """The calls of one operator on one device."""

    name: str
    device: str
    calls: int = 0
    self_us: float = 0.0
    total_us: float = 0.0
    allocated_bytes: int = 0
    lines: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def document(self, memory: bool) -> dict[str, str | float]:
        stack = max(self.lines, key=lambda line: self.lines[line], default="")
        found: dict[str, str | float] = {"name": self.name, "device": self.device, "calls": self.calls}
        found |= {"self_s": round(self.self_us / 1e6, 9), "total_s": round(self.total_us / 1e6, 9), "stack": stack}
        return found | ({"allocated_bytes": self.allocated_bytes} if memory else {})


def summed(trace: bytes) -> list[Operator]:
    """The operators of a Chrome trace that torch.profiler wrote."""
    found: dict[tuple[str, str], Operator] = {}
    threads: dict[int | str, list[_Event]] = defaultdict(list)
    for event in msgspec.json.decode(trace, type=_Trace).events:
        if event.kind in _DEVICE:
            operator = _of(found, event.name, "cuda")
            operator.calls += 1
            operator.self_us += event.dur
            operator.total_us += event.dur
        elif event.kind in _CPU or event.kind == _PYTHON or event.name == _MEMORY:
            threads[event.thread].append(event)
    for events in threads.values():
        _sum_thread(events, found)
    return sorted(found.values(), key=lambda operator: -operator.self_us)


def write_operators(path: Path, trace: Path, process: ProcessName, steps: tuple[int, int], memory: bool) -> None:
    """Sum a trace and write the summary, whole. `steps` is the first one and how many they are."""
    operators = [operator.document(memory) for operator in summed(trace.read_bytes())]
    document = {
        "node": process.node,
        "pid": process.pid,
        "first_step": steps[0],
        "steps": steps[1],
        "trace": trace.name,
        "operators": operators,
    }
    draft = path.with_suffix(".tmp")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1))
    draft.replace(path)


def _sum_thread(events: Iterable[_Event], found: dict[tuple[str, str], Operator]) -> None:
    """Events of one thread lie within each other or apart. Those that are open, innermost last: where it ends, its
    operator (None for Python's functions) and the line of the script that it is under."""
    open_events: list[tuple[float, Operator | None, str]] = []
    for event in sorted(events, key=lambda one: (one.ts, -one.dur)):
        while open_events and open_events[-1][0] <= event.ts:
            open_events.pop()
        line = open_events[-1][2] if open_events else ""
        if event.kind == _PYTHON:
            own = event.name if _is_script(event.name) or (not line and _LINE.search(event.name)) else line
            open_events.append((event.ts + event.dur, None, own))
            continue
        around = next((one for _, one, _ in reversed(open_events) if one is not None), None)
        if event.name == _MEMORY:
            if around is not None and event.args is not None:
                around.allocated_bytes += max(0, event.args.bytes)
            continue
        if event.name.startswith(_STEP):
            continue
        operator = _of(found, event.name, "cpu")
        operator.calls += 1
        operator.self_us += event.dur
        if not any(one is operator for _, one, _ in open_events):
            operator.total_us += event.dur
        if around is not None:
            around.self_us -= event.dur
        if line:
            operator.lines[line] += event.dur
        open_events.append((event.ts + event.dur, operator, line))


def _is_script(name: str) -> bool:
    return bool(_LINE.search(name)) and not _INSTALLED.search(name)


def _of(found: dict[tuple[str, str], Operator], name: str, device: str) -> Operator:
    key = (name, device)
    if key not in found:
        found[key] = Operator(name, device)
    return found[key]


def read_operators(data: bytes) -> Iterator[dict[str, str | float]]:
    """The rows of a summary, each with its node; none where it is no such file."""
    try:
        document = msgspec.json.decode(data)
        node, operators = document["node"], document["operators"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return
    for operator in operators:
        yield {"node": node, **operator}
