"""The history of one training: loss a step, metrics an epoch, photos left out; printed as it grows, kept as JSON.

`history.json` is {"train": [{"epoch", "step", "loss"}, ...], "validation": [{"epoch", "loss", "accuracy", ...}, ...],
"test": {"loss", "accuracy", "correct", "photos", "confusion"}, "skipped": [{"path", "reason"}, ...], "classes": [...],
"options": {...}}.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sagehound.vision.dataset import Skipped
from sagehound.vision.metrics import Evaluation

FILE = "history.json"


class History:
    """Prints each entry at once (standard output is the job's log) and writes all of them with `write`."""

    def __init__(self, classes: tuple[str, ...], options: dict[str, Any], log_interval_steps: int = 10) -> None:
        self._interval = log_interval_steps
        self._skipped: dict[Path, str] = {}
        self._entries: dict[str, Any] = {
            "classes": classes,
            "options": options,
            "train": [],
            "validation": [],
            "test": None,
        }

    def step(self, epoch: int, step: int, steps_in_epoch: int, loss: float) -> None:
        """One optimizer step; `step` counts from 1 over all epochs. Every tenth and each epoch's last are printed."""
        self._entries["train"].append({"epoch": epoch, "step": step, "loss": loss})
        in_epoch = step - (epoch - 1) * steps_in_epoch
        if in_epoch % self._interval == 0 or in_epoch == steps_in_epoch:
            share = 100 * in_epoch // steps_in_epoch
            self.say(f"Train epoch: {epoch} [step {in_epoch}/{steps_in_epoch} ({share}%)] Loss: {loss:.6f}")

    def validation(self, epoch: int, evaluation: Evaluation) -> None:
        self._entries["validation"].append({"epoch": epoch, **evaluation.as_dict()})
        self.say(evaluation.line("Validation set"))

    def test(self, evaluation: Evaluation) -> None:
        self._entries["test"] = evaluation.as_dict()
        self.say(evaluation.line("Test set"))

    def skip(self, skipped: Iterable[Skipped]) -> None:
        """Photos left out as unreadable; each is printed once."""
        for photo in skipped:
            if photo.path not in self._skipped:
                self._skipped[photo.path] = photo.reason
                self.say(f"Skipped {photo.path}: {photo.reason}")

    def say(self, text: str) -> None:
        print(text, flush=True)

    def write(self, folder: Path) -> Path:
        """Write `history.json` into `folder`, which is made if need be."""
        folder.mkdir(parents=True, exist_ok=True)
        skipped = [{"path": str(path), "reason": reason} for path, reason in self._skipped.items()]
        file = folder / FILE
        file.write_text(json.dumps({**self._entries, "skipped": skipped}) + "\n")
        return file
