"""Reads a job's profile from where the profiler put it, all of it or as it grows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from sagehound.profile.curves import Curves, Loss
from sagehound.profile.files import Files, open_files, read_all
from sagehound.profile.operators import read_operators
from sagehound.profile.profile import JobFacts, Profile
from sagehound.profile.samples import FOLDER as SYSTEM_FOLDER
from sagehound.profile.samples import Samples, is_whole
from sagehound.profile.tables import OPERATORS
from sagehound.profile.trace_format import DETAILED_FOLDER, is_trace
from sagehound.profile.trace_rows import FOLDER as TRACE_FOLDER
from sagehound.profile.trace_rows import TraceRows


def read_profile(
    prefix: str | Path, job: JobFacts, metrics: str | Path | None = None, losses: Iterable[Loss] | None = None
) -> Profile:
    """The profile below `prefix`, a folder or an S3 URI that ends in `profiler-output`.

    `metrics` is the job's metrics.jsonl, `losses` are (seconds since the epoch, name, value) that the debugger saved.
    A timeline of millions of steps is read in part: the fact "timeline_one_in" says that one step in so many is there,
    beside all that were much longer than others. What is missing leaves its table empty; what is damaged is left out
    and told in the problems of the profile's job.
    A place that cannot be reached at all raises: InvalidInput for a folder, ObjectStoreError for S3.
    """
    folder = ProfileFolder(prefix)
    folder.refresh()
    return folder.profile(job, metrics, losses)


class ProfileFolder:
    """A profile that grows: each `refresh` reads only what has come since the one before."""

    def __init__(self, prefix: str | Path) -> None:
        self._files = open_files(prefix)
        self._read: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        self._samples = Samples()
        self._rows = TraceRows()
        self._curves = Curves()
        self._rest: dict[str, bytes] = {}

    @property
    def samples(self) -> Samples:
        """The machine's samples as far as they were read."""
        return self._samples

    def refresh(self) -> bool:
        """Whether there was anything new."""
        return self.refresh_system() | self.refresh_timeline()

    def refresh_system(self) -> bool:
        """As `refresh`, of the machine's samples alone."""
        before = sum(self._read.values())
        for name, start, data in read_all(self._files, self._grown(SYSTEM_FOLDER)):
            self._take_samples(name, start, data)
        return sum(self._read.values()) > before

    def refresh_timeline(self) -> bool:
        """As `refresh`, of steps and phases alone."""
        before = sum(self._read.values())
        for name, start, data in read_all(self._files, self._grown(TRACE_FOLDER)):
            self._read[name] = start + self._rows.feed(name, data)
        return sum(self._read.values()) > before

    def profile(
        self, job: JobFacts, metrics: str | Path | None = None, losses: Iterable[Loss] | None = None
    ) -> Profile:
        """What was read so far; arguments as for `read_profile`."""
        if metrics is not None:
            self._curves.read(Path(metrics))
        facts, problems = _facts(self._files)
        if self._rows.one_in > 1:
            facts["timeline_one_in"] = self._rows.one_in
        problems += self._samples.problems + self._rows.problems + self._curves.problems + self._cut()
        return Profile(
            job=replace(job, facts={**facts, **job.facts}, problems=(*job.problems, *problems)),
            system=self._samples.table(),
            timeline=self._rows.table(),
            operators=_operators(self._files),
            curves=self._curves.table(losses or ()),
            traces=tuple(filter(is_trace, self._files.sizes("framework/"))),
        )

    def _grown(self, folder: str) -> list[tuple[str, int]]:
        """Files that have changed, and where to go on in each."""
        sizes = {name: size for name, size in self._files.sizes(folder).items() if name.endswith(".json")}
        changed = [name for name, size in sizes.items() if size != self._seen.get(name)]
        self._seen |= sizes
        return [(name, self._read.get(name, 0)) for name in changed]

    def _take_samples(self, name: str, start: int, data: bytes) -> None:
        end = data.rfind(b"\n") + 1
        if is_whole(data[end:]):
            end = len(data)
        self._samples.feed(name, data[:end])
        self._read[name] = start + end
        self._rest.pop(name, None)
        if data[end:].strip():
            self._rest[name] = data[end:]

    def _cut(self) -> tuple[str, ...]:
        """What is said of files whose last line is not whole."""
        if not self._rest:
            return ()
        first, count = min(self._rest), len(self._rest)
        return (f"the last line of {first}{f' and of {count - 1} more' if count > 1 else ''} is cut off",)


def _operators(files: Files) -> pa.Table:
    """What torch.profiler saw, of every process and window."""
    names = [name for name in files.sizes(f"{DETAILED_FOLDER}/") if name.endswith(".operators.json")]
    rows = [row for _, _, data in read_all(files, ((name, 0) for name in names)) for row in read_operators(data)]
    return pa.Table.from_pylist([{name: row.get(name) for name in OPERATORS.names} for row in rows], schema=OPERATORS)


def _facts(files: Files) -> tuple[dict[str, str | float], tuple[str, ...]]:
    """What the timeline's writers saw of the training: the first process's facts, completed by the others'."""
    facts: dict[str, str | float] = {}
    names = [name for name in files.sizes("framework/") if _is_facts(name)]
    problems = []
    for name, _, data in read_all(files, ((name, 0) for name in names)):
        try:
            known = msgspec.json.decode(data, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            problems.append(f"{name} could not be read")
            continue
        own = {key: value for key, value in known.items() if isinstance(value, str | int | float)}
        facts = {**own, **facts}
    return {key: value for key, value in facts.items() if key not in ("node", "pid")}, tuple(problems)


def _is_facts(name: str) -> bool:
    return name.startswith("framework/facts_") and name.endswith(".json")
