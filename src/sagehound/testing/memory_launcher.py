"""A `Launcher` that runs nothing: a test says how each job ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sagehound.errors import NotFound
from sagehound.jobs.launcher import Exit, Launch


class MemoryLauncher:
    """Jobs as entries in a dict. `finish` ends one; `stop` is only noted, in `stopped`."""

    def __init__(self) -> None:
        self.launches: dict[Path, Launch] = {}
        self.stopped: list[Path] = []
        self._exits: dict[Path, Exit] = {}
        self._bells: dict[Path, asyncio.Event] = {}

    def start(self, launch: Launch) -> None:
        self.launches.setdefault(launch.folder, launch)

    def started(self, folder: Path) -> bool:
        return folder in self.launches

    async def wait(self, folder: Path) -> Exit:
        if folder not in self.launches:
            raise NotFound(f"no job was started in {folder}")
        if folder not in self._exits:
            # A bell of this loop: the service that waited before had another.
            bell = self._bells[folder] = asyncio.Event()
            await bell.wait()
        return self._exits[folder]

    def forget(self, folder: Path) -> None:
        self.launches.pop(folder, None)
        self._exits.pop(folder, None)
        self._bells.pop(folder, None)

    def stop(self, folder: Path, grace_s: float = 120.0) -> None:
        self.stopped.append(folder)

    def finish(self, folder: Path, ended: Exit) -> None:
        """The job in `folder` ended; to be called in the event loop."""
        self._exits[folder] = ended
        if folder in self._bells:
            self._bells[folder].set()
