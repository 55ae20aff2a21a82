"""Where a job's time went."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sagehound.profile.findings.job_span import span
from sagehound.profile.findings.steps import Steps, every_process
from sagehound.profile.profile import Profile

#: Phase -> its name for readers and the number of its colour, in the order in which they come.
PARTS = {
    "initialisation": ("Before the first step", 6),
    "loader": ("Waiting for data", 0),
    "copy": ("Copying to the device", 4),
    "forward": ("Forward", 1),
    "backward": ("Backward", 2),
    "optimizer": ("Optimizer", 3),
    "rest": ("Rest of the steps", 5),
    "evaluation": ("Evaluation", 7),
    "between": ("Between steps", 8),
    "finalisation": ("After the last step", 9),
    "unseen": ("No steps seen", 8),
}


@dataclass(frozen=True)
class Part:
    """So many seconds of the job; `key` is a key of PARTS."""

    key: str
    seconds: float

    @property
    def label(self) -> str:
        return PARTS[self.key][0]

    @property
    def ink(self) -> int:
        return PARTS[self.key][1]


@dataclass(frozen=True)
class Course:
    """From when to when the job ran (seconds since the epoch), its loop (first step's start to last step's end; None
    without steps), and the parts, which add up to the whole but
    for those too short to matter. `train` and `evaluation` are the steps of the process that
    trained longest, `processes` those of every process and mode."""

    begin_s: float
    end_s: float
    loop: tuple[float, float] | None
    parts: tuple[Part, ...]
    train: Steps | None
    evaluation: Steps | None
    processes: tuple[Steps, ...]

    @property
    def length_s(self) -> float:
        return self.end_s - self.begin_s

    @property
    def workers(self) -> int:
        """How many processes trained or evaluated."""
        return len({(each.node, each.pid) for each in self.processes})

    @property
    def is_long(self) -> bool:
        """Whether the time of day alone does not tell when."""
        return self.length_s > 20 * 3600


def course(profile: Profile) -> Course:
    """The job's course, as the process that trained longest had it: the others wait for it."""
    begin, end = span(profile)
    every = tuple(each for each in every_process(profile) if len(each))
    # What Arrow needed to take the steps out is given back: the samples of days come next.
    pa.default_memory_pool().release_unused()
    train = _slowest(every, "TRAIN")
    same = [each for each in every if train and (each.node, each.pid) == (train.node, train.pid)]
    evaluation = next((each for each in same if each.mode != "TRAIN"), None) if train else _slowest(every, "EVAL")
    known = [each for each in (train, evaluation) if each is not None]
    if not known:
        return Course(begin, end, None, (Part("unseen", end - begin),), train, evaluation, every)
    first, last = min(each.from_s for each in known), max(each.to_s for each in known)
    begin, end = min(begin, first) if begin else first, max(end, last)
    return Course(
        begin, end, (first, last), _parts(begin, end, (first, last), train, evaluation), train, evaluation, every
    )


def _slowest(every: tuple[Steps, ...], mode: str) -> Steps | None:
    return max((each for each in every if each.mode == mode), key=lambda each: each.total_s, default=None)


def _parts(
    begin: float, end: float, loop: tuple[float, float], train: Steps | None, evaluation: Steps | None
) -> tuple[Part, ...]:
    first, last = loop
    phases = {} if train is None else {name: float(each.sum()) for name, each in train.phases.items()}
    evaluated = 0.0 if evaluation is None else evaluation.total_s
    stepped = 0.0 if train is None else max(train.total_s, sum(phases.values()))
    # A step lasts to the start of the next: where an evaluation lies between two, it may be counted in both.
    stepped = min(stepped, max(last - first - _outside(train, evaluation), sum(phases.values())))
    phases["rest"] = phases.get("rest", 0.0) + stepped - sum(phases.values())
    seconds = {
        "initialisation": first - begin,
        **{name: phases.get(name, 0.0) for name in ("loader", "copy", "forward", "backward", "optimizer", "rest")},
        "evaluation": evaluated,
        "between": last - first - stepped - evaluated,
        "finalisation": end - last,
    }
    return tuple(Part(key, length) for key, length in seconds.items() if length > 1e-3 * (end - begin))


def _outside(train: Steps | None, evaluation: Steps | None) -> float:
    """How much of the evaluation lies within training steps, and would be counted twice."""
    if train is None or evaluation is None or not len(train):
        return 0.0
    place = np.clip(np.searchsorted(train.starts, evaluation.starts, side="right") - 1, 0, None)
    within = evaluation.starts < train.starts[place] + train.durations[place] - 1e-9
    return float(evaluation.durations[within].sum())
