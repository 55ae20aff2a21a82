"""The processes that judge a job's rules: one for the debugger's built-in rules, one for the profiler's, one for each
rule of the user's own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagehound.records.rules import DebugRule

_ENDED, _ALIVE, _REQUEST, _ERRORS = "ended", "alive", "request.json", "evaluator.log"
_ERROR_LINES, _ERROR_BYTES = 5, 8192


@dataclass(slots=True)
class Evaluator:
    """A process and its folder: the request goes in, a status file for each rule comes out (see
    `sagehound.debug.evaluator` and `sagehound.profile.evaluator`). It ends by itself when it has judged all, after
    `job_ended`. `profiler` tells whose rules they are."""

    folder: Path
    rules: Sequence[DebugRule]
    profiler: bool = False
    _read: dict[str, tuple[int, int]] = field(default_factory=dict, init=False)
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)

    def prepare(self) -> None:
        """An empty folder: what a process of an earlier service had judged is judged anew."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def write_request(self, document: Mapping[str, Any]) -> None:
        """Say what is to be judged; a process that runs reads a whole one."""
        draft = self.folder / f"{_REQUEST}.part"
        draft.write_text(json.dumps(document))
        draft.replace(self.folder / _REQUEST)

    async def start(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        # Appended to, because the process cuts it short where it grows too long.
        with (self.folder / _ERRORS).open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                str(self.folder),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self.folder,
                start_new_session=True,
            )

    async def wait(self, timeout_s: float) -> int | None:
        """Its exit status (minus the signal's number), or None where it still runs after so long."""
        assert self._process is not None
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(self._process.wait(), timeout_s)
        return None

    async def kill(self) -> None:
        """End it, if it runs, and what a rule of the user's may have started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    def silent_s(self) -> float:
        """How long it has judged nothing, in seconds, since the job ended."""
        signs = [path.stat().st_mtime for name in (_ALIVE, _ENDED) if (path := self.folder / name).exists()]
        return max(0.0, time.time() - max(signs)) if (self.folder / _ENDED).exists() else 0.0

    @property
    def output(self) -> Path:
        """What the profiler's rules write for people, one folder a rule."""
        return self.folder / "output"

    @property
    def told(self) -> bool:
        """Whether it knows that the job is over."""
        return (self.folder / _ENDED).exists()

    def job_ended(self) -> None:
        """The training job is over, and all it saved is stored."""
        if not (self.folder / _ENDED).exists():
            (self.folder / _ENDED).touch()

    def news(self) -> list[tuple[DebugRule, dict[str, Any]]]:
        """What rules have said since the last look."""
        found = []
        for rule in self.rules:
            path = self.folder / f"{rule.name}.json"
            try:
                status = path.stat()
                version = (status.st_mtime_ns, status.st_ino)
                if self._read.get(rule.name) != version:
                    found.append((rule, json.loads(path.read_bytes())))
                    self._read[rule.name] = version
            except FileNotFoundError:
                continue
        return found

    def again(self, rule: DebugRule) -> None:
        """What the rule has said is to be news once more: it could not be passed on."""
        self._read.pop(rule.name, None)

    def errors(self) -> str:
        """The last lines that it printed."""
        with (self.folder / _ERRORS).open("rb") as log:
            log.seek(max(0, log.seek(0, 2) - _ERROR_BYTES))
            lines = log.read().decode(errors="replace").splitlines()
        return " | ".join(line.strip() for line in lines[-_ERROR_LINES:] if line.strip())
