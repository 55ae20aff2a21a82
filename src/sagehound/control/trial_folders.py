"""What the folders of a tuning job's trials show beyond their records: curves, and lines of their logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from sagehound.jobs.curves import Curve
from sagehound.jobs.lines import LineWriter
from sagehound.jobs.logs import hosts, log_path, read_lines
from sagehound.jobs.metrics import METRICS_FILE
from sagehound.jobs.near_misses import near_misses

#: So many lines of a host's log are looked through for an objective that was not found.
_LINES = 20_000


class TrialFolders:
    """The folders of training jobs below `folder`, by the jobs' names. For one thread at a time."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock
        self._curves: dict[str, Curve] = {}

    def metrics_path(self, trial: str) -> Path:
        """The file that grows with each value that the trial prints."""
        return self._folder / trial / METRICS_FILE

    def curve(self, trial: str, metric: str) -> tuple[float, ...]:
        """Every value of `metric` that the trial has printed."""
        return self._curves.setdefault(trial, Curve(self._folder / trial, metric)).read()

    def forget(self, trial: str) -> None:
        """The trial has ended: its curve need not be kept."""
        self._curves.pop(trial, None)

    def say(self, trial: str, text: str) -> None:
        """Write a line into the trial's log, if it has one."""
        folder = self._folder / trial
        if log_path(folder, "algo-1").is_file():
            writer = LineWriter(log_path(folder, "algo-1"), self._clock)
            writer.say(text)
            writer.close()

    def unmatched(self, trial: str, metric: str, regex: str) -> str:
        """What to say of a trial in whose log `regex` found nothing, with the lines that nearly matched."""
        told = f"no line of {trial}'s log gave the objective {metric!r} a finite value by {regex!r}"
        near = near_misses(regex, self._lines(trial))
        if not near:
            return f"{told}, and none is like it: does the script print it?"
        return f"{told}. Lines that are like it: " + "; ".join(f"{miss.line[:200]!r} ({miss.why})" for miss in near)

    def _lines(self, trial: str) -> Iterator[str]:
        folder = self._folder / trial
        for host in hosts(folder):
            lines, _ = read_lines(folder, host, limit=_LINES)
            yield from (line.text for line in lines if not line.text.startswith("sagehound: "))
