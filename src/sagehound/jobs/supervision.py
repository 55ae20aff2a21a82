"""Running the hosts of one job to their end: requirements first, then the scripts side by side."""

# pathlib takes longer to import than most of what is done here.
# ruff: noqa: PTH110, PTH118

from __future__ import annotations

import os
import select
import signal
import time
from collections import deque

from sagehound.jobs import failure, keeper, sampler
from sagehound.jobs.lines import LineWriter
from sagehound.jobs.meter import Meter
from sagehound.jobs.overlay import overlay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

#: SageMaker's own time between SIGTERM and SIGKILL.
GRACE_S = 120.0
#: How long the other hosts have when one has failed.
_SIBLING_GRACE_S = 10.0
_READ_BYTES = 256 * 1024
#: poll takes no more than a 32-bit number of milliseconds, and a job may run for weeks.
_LONGEST_WAIT_S = 86400.0
#: Longer lines are cut in the memory of the last lines that a failure reason is made of.
_TAIL_LINES, _TAIL_CHARACTERS = 400, 2000


class HostRun:
    """One host: its log, its last lines, and what runs on it at the moment."""

    def __init__(
        self, host: dict[str, Any], folder: str, meter: Callable[[float, str], None], execute: keeper.Execute
    ) -> None:
        self.host = host
        self._execute = execute
        self.name: str = host["name"]
        self.tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._meter = meter
        self._own = False
        self.log = LineWriter(os.path.join(folder, f"{self.name}.log"), on_line=self._line)  # type: ignore[arg-type]
        self.keeper = 0
        self.out = self.status = -1
        self.code: int | None = None

    def say(self, text: str) -> None:
        """Write a line of our own, in which no metric is looked for."""
        self._own = True
        self.log.say(text)
        self._own = False

    def start(self, argv: list[str], environment: dict[str, str], folder: str, spec: Any) -> None:  # noqa: ANN401
        self.code = None
        self.keeper, self.out, self.status = keeper.start(argv, environment, folder, spec, self._execute)
        os.set_blocking(self.out, False)

    @property
    def running(self) -> bool:
        return self.keeper != 0

    def signal(self, number: signal.Signals) -> None:
        if self.running:
            os.kill(self.keeper, number)
            # The script may have stopped its parent, which would then not end it.
            os.kill(self.keeper, signal.SIGCONT)

    def read(self) -> bool:
        """Take what the script printed; whether there may be more."""
        try:
            data = os.read(self.out, _READ_BYTES)
        except BlockingIOError:
            return False
        self.log.feed(data)
        return bool(data)

    def finish(self) -> None:
        """Note the exit status, and the last of the output."""
        said = os.read(self.status, 64)
        os.waitpid(self.keeper, 0)
        while self.read():
            pass
        self.log.flush()
        os.close(self.out)
        os.close(self.status)
        self.keeper, self.out, self.status = 0, -1, -1
        # No word from the keeper: something killed it, and its script with it.
        self.code = int(said) if said else -signal.SIGKILL

    def _line(self, at: float, text: str) -> None:
        if not self._own:
            self.tail.append(text[:_TAIL_CHARACTERS])
            self._meter(at, text)


class Supervision:
    """The life of one job, from the launch document to the exit record.

    `wakeup` is a descriptor that becomes readable with each signal; `stop_grace` tells whether to stop, and how long
    to wait before killing. `execute` is how a forked process becomes a script.
    """

    def __init__(
        self,
        launch: dict[str, Any],
        wakeup: int,
        stop_grace: Callable[[], float | None],
        execute: keeper.Execute = os.execvpe,
    ) -> None:
        self._launch = launch
        self._wakeup = wakeup
        self._stop_grace = stop_grace
        self._folder: str = launch["folder"]
        definitions = [(metric["name"], metric["regex"]) for metric in launch["metrics"]]
        self._notes: list[str] = []
        meter = Meter(definitions, f"{self._folder}/metrics.jsonl", self._notes.append)
        self._hosts = [HostRun(host, self._folder, meter, execute) for host in launch["hosts"]]
        self._deadline = time.monotonic() + launch["max_runtime_s"]
        self._kill_at = float("inf")
        self._cause = ""
        self._failed: HostRun | None = None
        self._started_at: float | None = None
        self._oom_kills = failure.oom_kills()
        self._sampler = 0

    def run(self) -> dict[str, Any]:
        """Run the job to its end and pack what it leaves; the exit record."""
        for host in self._hosts:
            for note in self._launch["notes"]:
                host.say(note)
        self._check_stop()
        kind = "InstallRequirements"
        if self._install():
            kind = "ExecuteUserScript"
            self._run_scripts()
        return self._record(kind)

    def broken(self, problem: BaseException) -> dict[str, Any]:
        """The record of a job whose supervision itself failed; nothing of it is left running."""
        for host in self._hosts:
            host.signal(keeper.KILL)
        text = f"InternalServerError: the job's supervision failed: {problem!r}; see {self._folder}/shim.err"
        return _record(1, "lost", text[: failure.MAX_CHARACTERS], self._started_at, {})

    def _install(self) -> bool:
        """Make each host's environment, with what its requirements ask for; whether the scripts can start."""
        for host in self._hosts:
            build = host.host["build"]
            if build and not self._cause and not os.path.exists(f"{build['folder']}/.complete"):
                host.say("sagehound: installing requirements.txt, once for this content")
                environment = {**host.host["environment"], "PYTHONPATH": self._launch["source"]}
                self._started_at = None
                host.start(build["argv"], environment, "/", None)
                self._watch([host])
            base, sites, original = self._launch["base_python"], host.host["sites"], host.host["original"]
            overlay(f"{self._folder}/{host.name}.python", base, sites, original)
        return not self._cause and self._failed is None

    def _run_scripts(self) -> None:
        self._started_at = time.time()
        names = [host.name for host in self._hosts]
        for host in self._hosts:
            folder = host.host["folder"]
            code = "/opt/ml/code" if os.path.isdir(f"{folder}/code") else "/opt/ml"  # noqa: PTH112
            spec = {"folder": folder, "binds": host.host["binds"], "hosts": names, "hostname": host.name}
            host.start(list(host.host["argv"]), host.host["environment"], code, spec)
        # After the last host: it must not hold the pipes of one that is still to come.
        self._sampler = sampler.start(self._folder, [h.host for h in self._hosts], [h.keeper for h in self._hosts])
        try:
            _import_leavings()
            self._watch(self._hosts)
        finally:
            self._end_sampler()

    def _end_sampler(self) -> None:
        sampler.end(self._sampler)
        self._sampler = 0

    def _watch(self, hosts: list[HostRun]) -> None:
        """Serve the hosts' output, and signals and times, until every one of them has ended."""
        while running := [host for host in hosts if host.running]:
            poll = select.poll()
            for descriptor in (self._wakeup, *(host.out for host in running), *(host.status for host in running)):
                poll.register(descriptor, select.POLLIN)
            ready = {descriptor for descriptor, _ in poll.poll(self._timeout_ms())}
            for host in running:
                if host.out in ready:
                    host.read()
                if host.status in ready:
                    self._ended(host)
            self._say_notes(hosts[0])
            if self._wakeup in ready:
                os.read(self._wakeup, 4096)
                self._check_stop()
            self._check_times()

    def _ended(self, host: HostRun) -> None:
        host.finish()
        if host.code != 0 and not self._cause and self._failed is None:
            self._failed = host
            others = [other for other in self._hosts if other.running]
            for other in others:
                other.say(f"sagehound: ended because {host.name} failed")
                other.signal(signal.SIGTERM)
            self._kill_at = min(self._kill_at, time.monotonic() + _SIBLING_GRACE_S)

    def _say_notes(self, host: HostRun) -> None:
        while self._notes:
            host.say(self._notes.pop(0))

    def _timeout_ms(self) -> float | None:
        ending = self._cause or self._failed is not None
        until = min(float("inf") if ending else self._deadline, self._kill_at)
        left_s = max(0.0, until - time.monotonic())
        return None if until == float("inf") else min(left_s, _LONGEST_WAIT_S) * 1000 + 1

    def _check_stop(self) -> None:
        grace_s = self._stop_grace()
        if grace_s is not None:
            self._end("stopped", grace_s)

    def _check_times(self) -> None:
        now = time.monotonic()
        if now >= self._deadline and not self._cause and self._failed is None:
            limit_s = self._launch["max_runtime_s"]
            self._hosts[0].say(f"sagehound: MaxRuntimeInSeconds ({limit_s:g} s) is over; the script is asked to end")
            self._end("timed_out", self._launch["grace_s"])
        if now >= self._kill_at:
            self._kill_at = float("inf")
            for host in self._hosts:
                host.signal(keeper.KILL)

    def _end(self, cause: str, grace_s: float) -> None:
        self._kill_at = min(self._kill_at, time.monotonic() + grace_s)
        if not self._cause:
            self._cause = cause
            for host in self._hosts:
                host.signal(signal.SIGTERM)

    def _record(self, kind: str) -> dict[str, Any]:
        collect = _import_leavings().collect
        failed = self._failed or next((host for host in self._hosts if host.code), None)
        code = failed.code or 0 if failed else 0
        reason = "" if self._cause or not failed else self._reason(failed, kind)
        keep_model = bool(self._cause) or code == 0
        folders = [host.host["folder"] for host in self._hosts]
        artifacts, left_out, problem = collect(self._folder, folders, self._launch["compress"], keep_model)
        if left_out:
            self._hosts[0].say(f"sagehound: not packed, as they are no files: {', '.join(left_out[:10])}")
        if problem:
            code, reason = code or 1, reason or problem
            self._hosts[0].say(f"sagehound: {problem}")
        for host in self._hosts:
            host.log.close()
        lost = sum(host.log.lost for host in self._hosts)
        reason += f"\n({lost} lines of the log were lost: no space left on the disk)" if lost and reason else ""
        return _record(code, self._cause or "exited", reason[: failure.MAX_CHARACTERS], self._started_at, artifacts)

    def _reason(self, host: HostRun, kind: str) -> str:
        code = host.code or 0
        hints = [f"on host {host.name}"] if len(self._hosts) > 1 else []
        if failure.signal_text(code):
            out_of_memory = code in (-9, 137) and failure.oom_kills() > self._oom_kills
            hints.insert(0, _OUT_OF_MEMORY if out_of_memory else failure.signal_text(code))
        command = " ".join(host.host["argv"])
        if kind == "InstallRequirements":
            command = "python -m pip install -r requirements.txt"
        return failure.reason(
            lines=list(host.tail),
            code=code,
            command=command,
            folder=host.host["folder"],
            kind=kind,
            hint=", ".join(hints),
        )


def _import_leavings() -> ModuleType:
    """What packs the leavings takes 20 ms to import: while the scripts start, not before and not after them."""
    from sagehound.jobs import leavings

    return leavings


_OUT_OF_MEMORY = (
    "killed by the kernel: the machine was out of memory; use a smaller batch size, a smaller model or fewer workers"
)


def _record(code: int, cause: str, reason: str, started_at: float | None, artifacts: dict[str, str]) -> dict[str, Any]:
    return {
        "code": code,
        "cause": cause,
        "reason": reason,
        "started_at": started_at,
        "ended_at": time.time(),
        "artifacts": artifacts,
    }
