"""Where a training goes on after it was interrupted: its step counters."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sagehound.debug.modes import ModeKeys
from sagehound.debug.store.files import LocalFiles
from sagehound.debug.store.reader import FolderSource
from sagehound.errors import DebuggerValueError, SagehoundError

_CONFIG_VARIABLE = "CHECKPOINT_CONFIG_FILE_PATH"
_CONFIG_FILE = "/opt/ml/input/config/checkpointconfig.json"
_STATE_FILE = "metadata.json"
#: Looking for new checkpoints takes at most this share of the time.
_SHARE = 0.005

#: The last step that was counted, by mode; GLOBAL counts all of them.
Counts = dict[ModeKeys, int]


class Checkpoints:
    """The folder of checkpoints that a job's CheckpointConfig names. Whenever a checkpoint there is written, the step
    counters are written beside it (`metadata.json`, as the original does), so that a training that starts from the
    checkpoint again counts on from there."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder if folder is not None else _configured()
        self._seen = self._files()
        self._run = 0
        #: When to look again, as perf_counter counts.
        self.next_look = math.inf if self._folder is None else 0.0

    def restored(self) -> Counts | None:
        """The counters at the last checkpoint; None where there is none to go on from."""
        if self._folder is None or not self._seen:
            return None
        try:
            states = json.loads((self._folder / _STATE_FILE).read_bytes())
            last = max(states, key=lambda state: state["latest-global-step-seen"])
            counts = {ModeKeys[name]: int(step) for name, step in last["latest-mode-step"].items()}
        except (OSError, ValueError, KeyError, TypeError):
            return None
        self._run = int(last.get("training-run", 0)) + 1
        return counts | {ModeKeys.GLOBAL: int(last["latest-global-step-seen"])}

    def look(self, counts: Mapping[ModeKeys, int], now: bool = False) -> None:
        """Keep the counters where a checkpoint was written since the last look, which is not made anew at once unless
        it is to be made `now`."""
        start = time.perf_counter()
        if self._folder is None or (start < self.next_look and not now):
            return
        files = self._files()
        if files != self._seen:
            self._seen = files
            self._keep(counts)
        end = time.perf_counter()
        self.next_look = end + (end - start) / _SHARE

    def _keep(self, counts: Mapping[ModeKeys, int]) -> None:
        assert self._folder is not None
        file = self._folder / _STATE_FILE
        try:
            states = json.loads(file.read_bytes())
        except (OSError, ValueError):
            states = []
        seen = counts[ModeKeys.GLOBAL]
        states = [state for state in states if state.get("latest-global-step-seen", 0) < seen]
        modes = {mode.name: step for mode, step in counts.items()}
        state = {"training-run": self._run, "latest-global-step-saved": seen, "latest-global-step-seen": seen}
        part = file.with_name(f".{_STATE_FILE}.part")
        part.write_text(json.dumps([*states, state | {"latest-mode-step": modes}]))
        part.rename(file)

    def _files(self) -> dict[str, tuple[int, int]]:
        return dict(_below(str(self._folder))) if self._folder is not None else {}


def counts_in(folder: Path) -> Counts | None:
    """The counters that the data in a folder of tensors ends with; None where it has none."""
    try:
        source = FolderSource(LocalFiles(folder))
        source.refresh()
        counts = {ModeKeys[name]: step for name, step in source.state().passed.items()}
        for worker in source.runs():
            for step in source.steps(worker):
                for mode, number in ((ModeKeys.GLOBAL, step.step), (ModeKeys[step.mode], step.mode_step)):
                    counts[mode] = max(counts.get(mode, -1), number)
    except SagehoundError:
        return None
    return counts or None


def check_new(folder: Path, worker: str) -> None:
    """DebuggerValueError where a folder has data already: a hook does not mix two trainings."""
    try:
        there = sorted(entry.name for entry in folder.iterdir())
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise DebuggerValueError(f"out_dir {folder} is a file: name a folder that is not there yet") from None
    if there and (worker == "worker_0" or (folder / "manifest" / worker).exists()):
        raise DebuggerValueError(
            f"out_dir {folder} exists and holds {there[0]!r}: a hook does not write among what another run left. Name "
            "a new folder, remove that one, or pass resume=True to go on with the run in it"
        )


def _configured() -> Path | None:
    try:
        document: Any = json.loads(Path(os.environ.get(_CONFIG_VARIABLE) or _CONFIG_FILE).read_bytes())
        return Path(document["LocalPath"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _below(folder: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Size and time of every file of the checkpoints."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.name == _STATE_FILE or entry.name.startswith(".") or "sagemaker-uploaded" in entry.name:
            continue
        try:
            if entry.is_dir():
                yield from _below(entry.path)
            else:
                found = entry.stat()
                yield entry.path, (found.st_size, found.st_mtime_ns)
        except OSError:
            continue
