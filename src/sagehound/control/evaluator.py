"""The processes that judge a job's rules: one for all built-in rules, one for each rule of the user's own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagehound.records.rules import DebugRule

_ENDED, _REQUEST, _ERRORS = "ended", "request.json", "evaluator.log"
_ERROR_LINES, _ERROR_BYTES = 5, 8192


@dataclass(slots=True)
class Evaluator:
    """A process and its folder: the request goes in, a status file for each rule comes out (see
    `sagehound.debug.evaluator`). It ends by itself when it has judged all, after `job_ended`."""

    folder: Path
    rules: Sequence[DebugRule]
    _read: dict[str, tuple[int, int]] = field(default_factory=dict, init=False)
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)

    def write_request(self, job: str, trial: str, sources: Mapping[str, Path]) -> None:
        """Say what is to be judged; `sources` has the files of custom rules by the rule's name."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        rules = [
            {
                "name": rule.name,
                "rule": rule.invoked,
                "parameters": rule.parameters,
                "source": str(sources[rule.name]) if rule.name in sources else None,
            }
            for rule in self.rules
        ]
        (self.folder / _REQUEST).write_text(json.dumps({"trial": trial, "job": job, "rules": rules}))

    async def start(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        with (self.folder / _ERRORS).open("wb") as log:
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
        """End it, if it runs."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def job_ended(self) -> None:
        """The training job is over, and all it saved is stored."""
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
