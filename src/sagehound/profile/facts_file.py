"""What is known of a training's settings, beside its timeline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from sagehound.profile.process_name import ProcessName


class FactsFile:
    """`framework/facts_<pid>-<node>.json`: one JSON object of names and texts or numbers (training_facts.py has the
    names), with the "node" and the "pid". Written anew, whole, when something became known."""

    def __init__(self, folder: Path, process: ProcessName) -> None:
        self._path = folder / "framework" / f"facts_{process}.json"
        self._process = process
        self._written: dict[str, str | float] = {}

    def write(self, facts: Mapping[str, str | float]) -> None:
        if facts == self._written:
            return
        self._written = dict(facts)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".tmp")
        document = {"node": self._process.node, "pid": self._process.pid, **self._written}
        draft.write_text(json.dumps(document, indent=1) + "\n")
        draft.replace(self._path)
