"""A verdict as its documented file, `profiler-reports/<Rule>.json`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np

from sagehound.profile.finding import Verdict


def document(verdict: Verdict) -> dict[str, Any]:
    """The documented keys, as AWS's package fills them: RuleTriggered counts findings, RuleParameters is a text of
    "name:value" lines. `Findings` and `Unable` are Sagehound's own."""
    parameters = {name: value for name, value in verdict.parameters.items() if name != "scan_interval_us"}
    found = _plain(
        {
            "RuleTriggered": len(verdict.findings),
            "Violations": verdict.violations,
            "Details": verdict.details,
            "Datapoints": verdict.datapoints,
            "RuleParameters": "\n".join(f"{name}:{_text(value)}" for name, value in parameters.items()),
            "Findings": [asdict(finding) for finding in verdict.findings],
            "Unable": verdict.unable,
        }
    )
    return cast("dict[str, Any]", found)


def write(verdicts: Sequence[Verdict], folder: Path) -> list[Path]:
    """Write each verdict's file into `folder`/profiler-reports, whole or not at all; their paths."""
    folder = folder / "profiler-reports"
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for verdict in verdicts:
        path = folder / f"{verdict.rule}.json"
        part = path.with_suffix(".json.part")
        part.write_text(json.dumps(document(verdict), indent=1, allow_nan=False) + "\n")
        part.replace(path)
        written.append(path)
    return written


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _plain(value: object) -> object:
    """As JSON can have it: no NumPy, and nothing for what is no number."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
