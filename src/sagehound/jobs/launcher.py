"""The contract of a launcher: what starts the hosts of a job and sees them end."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sagehound.records.training import MetricDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """A folder of this machine that shows, read-only, at `target` (relative to the host's `/opt/ml`)."""

    source: Path
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host of a job. `folder` is what the job sees as `/opt/ml`, its files already in place but the binds.

    `environment` is the process's whole environment and speaks of `/opt/ml`; where the machine cannot give the job a
    `/opt/ml` of its own, the launcher puts the real folder in its place and says so in the log.
    `argv` is what runs, in `/opt/ml/code` where there is one.
    `requirements` is the requirements.txt to install first, or None.
    """

    name: str
    folder: Path
    environment: dict[str, str]
    argv: tuple[str, ...]
    binds: tuple[Bind, ...] = ()
    requirements: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One job, ready to run: `folder` is the job's own, where the launcher keeps its logs and its exit record."""

    job: str
    folder: Path
    hosts: tuple[Host, ...]
    max_runtime_s: float
    metrics: tuple[MetricDefinition, ...] = ()
    #: Lines that open the job's log, e.g. that a GPU instance runs on the CPU.
    notes: tuple[str, ...] = ()
    #: Where environments made from a requirements.txt are kept, one a content.
    environments_folder: Path = field(default_factory=lambda: Path.home() / ".sagehound" / "environments")
    #: Pack what the job leaves into tar.gz files; else its folders are handed over as they are.
    compress: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a job ended. `code` is 0 only where every host's script returned 0; else the first failing host's code
    (minus the signal's number where a signal ended it). `cause` is "exited", "stopped", "timed_out" or "lost"
    (the machine or the supervising process died under it). `reason` is the FailureReason: the exception, the user's
    file and line, the last lines of the log; empty where code is 0. Times are seconds since the epoch;
    `started_at` is when the user's script started."""

    code: int
    cause: str
    reason: str
    started_at: float | None
    ended_at: float
    #: "model" and "output": model.tar.gz and output.tar.gz as packed by the launcher, or folders where compression
    #: is off. What the job left empty is not there; a job that failed leaves no model.
    artifacts: dict[str, Path] = field(default_factory=dict)


class Launcher(Protocol):
    """Starts jobs and sees them end. A job goes on when the service dies; the next service's launcher finds it again.

    - `start` starts the job and returns at once; JobFailure where it cannot. A job is never started twice.
    - `started` tells whether `start` was ever acknowledged for the job in that folder.
    - `wait` returns when the job has ended, whichever service started it, with its artifacts packed.
    - `forget` drops what is known of a job that has ended, but for its logs: it may be started once more.
    - `stop` asks every host to end (SIGTERM), and ends it (SIGKILL) `grace_s` later. Returns at once; idempotent.
    """

    def start(self, launch: Launch) -> None: ...
    def started(self, folder: Path) -> bool: ...
    async def wait(self, folder: Path) -> Exit: ...
    def forget(self, folder: Path) -> None: ...
    def stop(self, folder: Path, grace_s: float = 120.0) -> None: ...
