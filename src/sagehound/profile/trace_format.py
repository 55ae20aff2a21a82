"""What stands in the timeline's files, for those that write and those that read them. Imports nothing heavy.

**Files.** `framework/pevents/<YYYYMMDDHH>/<end_us>_<pid>-<node>_pythontimeline.json` below the profiler's folder, the
hour in UTC. `<end_us>` is when the file is closed at the latest, in microseconds since the epoch: no event in it ended
later. A file is never renamed; it grows until it is closed, and at any moment it is one whole JSON array, which
Perfetto opens. `facts_<pid>-<node>.json` in `framework/` has the facts (training_facts.py).

**Records**, one a line. The first is
`{"name": "process_name", "ph": "M", "pid": 0, "tid": 0, "args": {"name": "<node> <pid>",
"start_time_since_epoch_in_micros": N}}`; every `ts` counts from N, which is the first step's start. Records with
`"ph": "M"` name the rows (`PHASES` and `STEPS` below: a row is a "process" of the trace, as the original's readers
expect). All others are

    {"name": "forward", "cat": "phase", "ph": "X", "pid": 5, "tid": 1, "ts": 1200, "dur": 300,
     "args": {"pid": 4711, "step_num": "12", "mode": "TRAIN"}}

with `ts` and `dur` in whole microseconds; `args.pid` is the process (the record's own `pid` is the row). By `cat`:

- `step`: `name` is `Step:ModeKeys.TRAIN` or `Step:ModeKeys.EVAL`; from the start of one step to that of the next, or to
  where the loop over the data ended. `args.step_num` counts in `args.mode` from 0, as text, as the original wrote it.
- `phase`: `name` is a key of `PHASES`. Phases of a step do not overlap: what runs within another is cut out of it, so
  one phase may come in pieces. `rest` is every gap between them that is at least a hundredth of the step; shorter ones
  are not written. A step's phases follow it in the file.
- `window`: what torch.profiler or cProfile was switched on for: `name` is "detailed", "python" or "dataloader". The
  step is the first one, counted from 0 in all modes together; there is no mode. Time spent in starting and stopping a
  profiler is in no step's phases but `rest`.

On a GPU these are the times of the thread that trains: what it hands to the device is waited for where the script needs
a result, in `rest` for `loss.item()`. torch.profiler's window has the device's own times.
"""

from __future__ import annotations

#: The files' kind, at the end of their names.
KIND = "pythontimeline"
SUFFIX = f"_{KIND}.json"
EVENTS_FOLDER = "framework/pevents"
DETAILED_FOLDER = "framework/pytorch/detailed_profiling"
PYTHON_FOLDER = "framework/pytorch"
#: The categories.
STEP, PHASE, WINDOW = "step", "phase", "window"
#: The modes.
TRAIN, EVAL = "TRAIN", "EVAL"

#: A mode's row and the name of its steps.
STEPS = {TRAIN: (1, "Step:ModeKeys.TRAIN"), EVAL: (2, "Step:ModeKeys.EVAL")}
#: A phase's row and that row's name.
PHASES = {
    "loader": (3, "DataLoaderIter"),
    "copy": (4, "HostToDevice"),
    "forward": (5, "Forward"),
    "backward": (6, "Backward(post-forward)"),
    "optimizer": (7, "Optimizer"),
    "rest": (8, "Rest"),
}
WINDOW_ROW = (9, "Profiler")
#: Gaps between phases that are shorter than this share of their step are not written.
SHORT_GAP = 0.01


def rows() -> list[tuple[int, str]]:
    """All rows, with their names."""
    return [*STEPS.values(), *PHASES.values(), WINDOW_ROW]


def node_in(name: str) -> tuple[str, int]:
    """The node and the process of a file's name.

    >>> node_in("1591160699457000_4711-algo-1_pythontimeline.json")
    ('algo-1', 4711)
    >>> node_in("1591160699457000_algo-1_pythontimeline.json")
    ('algo-1', 0)
    """
    middle = name.split("_")[1]
    pid, dash, node = middle.partition("-")
    return (node, int(pid)) if dash and pid.isdigit() else (middle, 0)


def is_trace(name: str) -> bool:
    """Whether a file below a profile is a Chrome trace."""
    folders = (f"{DETAILED_FOLDER}/", f"{EVENTS_FOLDER}/")
    return name.startswith(folders) and name.endswith((".trace.json", "timeline.json"))
