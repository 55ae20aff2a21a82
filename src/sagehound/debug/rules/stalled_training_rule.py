"""A training that has stopped saving."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from sagehound.debug.finding import Finding
from sagehound.debug.rules.history import back
from sagehound.debug.trial import Trial


@dataclass(frozen=True)
class StalledTrainingRule:
    """Nothing new was saved for `threshold` seconds.

    Formula: the time since the last saved step, or between two saved steps, is `threshold` or more. The first is seen
    while the training runs; the second also afterwards.

    Why it matters: a loader that hangs, a worker that waits for one that died, a disk that is full: the job goes on
    and does nothing. Parameters and default are those of AWS's guide. `stop_training_on_fire` and
    `training_job_name_prefix` ask that the training be stopped; the rule itself only finds, and what reads its finding
    in a job stops it, as for the action StopTraining. Elsewhere they change nothing.
    """

    threshold: int = 1800
    stop_training_on_fire: bool = False
    training_job_name_prefix: str = ""

    name: ClassVar[str] = "StalledTrainingRule"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        times = [record.at for record in islice(back(trial, step), 2)]
        if len(times) == 2 and min(times) > 0 and times[0] - times[1] >= self.threshold:
            yield self._finding(trial, step, times[0] - times[1], f"before step {trial.mode_step(step)}")

    def while_idle(self, trial: Trial, idle_s: float) -> Iterator[Finding]:
        """What the silence of `idle_s` seconds says."""
        if trial.loaded_all_steps or idle_s < self.threshold:
            return
        last = next(back(trial, trial.saved.numbers()[-1]), None) if trial.saved.numbers() else None
        when = f"after step {last.mode_step} of mode {last.mode}" if last else "since the beginning"
        yield self._finding(trial, last.step if last else 0, idle_s, when)

    def unable(self, trial: Trial) -> str:
        return "" if trial.saved.numbers() else "no step was saved, so there was no silence between steps"

    def _finding(self, trial: Trial, step: int, idle_s: float, when: str) -> Finding:
        record = trial.saved.first(step)
        return Finding(
            rule=self.name,
            step=record.mode_step if record else 0,
            mode=record.mode if record else "GLOBAL",
            message=f"Nothing was saved for {idle_s:.0f} s {when}, {self.threshold} s or more.",
            why="A training that saves nothing may hang: a loader, a worker that waits for another, a full disk.",
            change="py-spy dump --pid PID  # shows where it stands; a save_interval so short that a step is saved well "
            "within the threshold, or a longer threshold, if it is only slow",
            numbers={"idle_s": idle_s, "threshold_s": float(self.threshold)},
        )
