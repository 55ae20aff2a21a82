"""Exceptions of the user's code in one line: what, and where in their file."""

from __future__ import annotations

import traceback
from pathlib import Path


def describe(error: BaseException, folder: Path | None = None) -> str:
    """The exception's last line and the innermost place in a file under `folder` (the user's code).

    >>> import pathlib
    >>> describe(ValueError("no such class"), pathlib.Path("/opt/ml/model/code"))
    'ValueError: no such class'
    """
    line = traceback.format_exception_only(error)[-1].strip()
    if isinstance(error, SyntaxError) and error.filename:
        return f"{line} ({Path(error.filename).name}, line {error.lineno})"
    if isinstance(error, SystemExit):
        line = f"SystemExit: {error.code}; the module ended the program while it was imported or loaded"
    place = _place(error, folder)
    return f"{line} ({place})" if place else line


def _place(error: BaseException, folder: Path | None) -> str:
    """The innermost frame in the user's own files; the innermost of all where the error never passed there."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if folder and _is_under(frame.filename, folder)]
    if not own:
        return ""
    name = Path(own[-1].filename)
    shown = name.relative_to(folder) if folder and name.is_relative_to(folder) else name.name
    return f"{shown}, line {own[-1].lineno}, in {own[-1].name}"


def _is_under(filename: str, folder: Path) -> bool:
    return Path(filename).is_relative_to(folder) and "site-packages" not in filename
