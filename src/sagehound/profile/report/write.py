"""Writes the report: the page and the notebook."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sagehound.profile.finding import Verdict
from sagehound.profile.profile import Profile
from sagehound.profile.report.material import Material
from sagehound.profile.report.notebook import notebook
from sagehound.profile.report.page import page

PAGE, NOTEBOOK = "profiler-report.html", "profiler-report.ipynb"


def write_report(
    profile: Profile,
    verdicts: Sequence[Verdict],
    debugger: Sequence[Mapping[str, Any]],
    folder: Path,
    source: str | None = None,
) -> Path:
    """Write `profiler-report.html` and `profiler-report.ipynb` into `folder`, which is made; the page's path.

    `debugger` are the debugger's findings as dicts (debug/finding.py). `source` is where the profile was read from, a
    folder or an S3 URI: the notebook reads it there, or else where it lies beside a report that was fetched with its
    job; the page links to its traces. A reader never sees half a page: each file replaces the one before as a whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / PAGE, page(Material(profile, verdicts, debugger, source)))
    _replace(folder / NOTEBOOK, notebook(profile, source))
    return folder / PAGE


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8", errors="replace")
    part.replace(path)
