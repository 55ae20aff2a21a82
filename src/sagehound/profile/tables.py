"""The tables that a profile is read into: Arrow, so that a notebook has them as frames without a copy."""

from __future__ import annotations

import pyarrow as pa

#: Words that return in every row: two bytes a row, and their text once. Comparing, filtering, grouping and frames work
#: as with strings; Arrow's functions on text need `.cast(pa.string())`.
WORD = pa.dictionary(pa.int16(), pa.string())

#: What a machine did. One row a sample: `dimension` is the documented one ("CPUUtilization", "GPUUtilization",
#: "GPUMemoryUtilization", "MemoryUsedPercent", "I/OWaitPercentage", "NetworkReceivedBytesPerSecond" ...), `name` the
#: core, device or part ("cpu0", "gpu0", "job", "machine"); `value` is in percent unless the dimension names a unit.
SYSTEM = pa.schema(
    [
        ("timestamp_s", pa.float64()),
        ("node", WORD),
        ("dimension", WORD),
        ("name", WORD),
        ("value", pa.float64()),
    ]
)

#: What the training's process did. One row an event: `category` is "step", "phase" or "window", `name` within "phase"
#: "forward", "backward", "optimizer", "loader", "copy", "rest"; a "step" row spans from the start of one step to that
#: of the next. `step` counts in `mode` ("TRAIN", "EVAL"). Times are seconds since the epoch, and seconds.
TIMELINE = pa.schema(
    [
        ("node", WORD),
        ("pid", pa.int64()),
        ("category", WORD),
        ("name", WORD),
        ("mode", WORD),
        ("step", pa.int64()),
        ("start_s", pa.float64()),
        ("duration_s", pa.float64()),
    ]
)

#: What torch.profiler saw in its window, summed by operator: `device` is "cpu" or "cuda"; `self_s` without children.
OPERATORS = pa.schema(
    [
        ("node", pa.string()),
        ("name", pa.string()),
        ("device", pa.string()),
        ("calls", pa.int64()),
        ("self_s", pa.float64()),
        ("total_s", pa.float64()),
        ("stack", pa.string()),
    ]
)

#: What the script printed that a metric's regular expression found, and the losses that the debugger saved.
CURVES = pa.schema([("timestamp_s", pa.float64()), ("name", pa.string()), ("value", pa.float64())])
