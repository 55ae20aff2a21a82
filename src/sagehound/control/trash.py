"""Folders that are of no more use: out of the way at once, removed when there is time."""

from __future__ import annotations

import shutil
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


class Trash:
    """Removes what it is given in a thread of its own, by way of `folder`.

    On a machine whose cores train, to remove one folder takes milliseconds, and a job has fifteen: nobody should wait
    for them. What a killed service left there, `empty` removes. Used by several threads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._remover = ThreadPoolExecutor(1, "trash")

    def take(self, path: Path) -> None:
        """Remove `path`, a folder or nothing: it is gone when this returns, but for the room that it takes."""
        place = self._folder / uuid.uuid4().hex
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.rename(place)
        except FileNotFoundError:
            return
        except OSError:  # a folder that its owner may not write to does not move
            place = path
        self._remover.submit(shutil.rmtree, place, ignore_errors=True)

    def empty(self) -> None:
        """Remove all that is in it, if not at once."""
        for path in self._folder.glob("*"):
            self._remover.submit(shutil.rmtree, path, ignore_errors=True)
