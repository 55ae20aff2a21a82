"""Words for people and for machines: data on stdout, progress and errors on stderr."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sagehound.settings import default_home

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

#: Wide enough that nothing is cut where a program reads the table.
_PIPE_WIDTH = 1000

Home = Annotated[
    Path | None,
    typer.Option("--home", envvar="SAGEHOUND_HOME", help="The service's folder.", show_default="~/.sagehound"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]


def home_of(given: Path | None) -> Path:
    """The home that a command speaks of."""
    return given.expanduser().absolute() if given else default_home()


def progress(text: str) -> None:
    """Say what happens, on stderr."""
    err.print(Text(text), soft_wrap=True)


def say(text: str) -> None:
    """Print a line of data, on stdout, as it is."""
    out.print(Text(text), soft_wrap=True)


def say_json(data: Any) -> None:  # noqa: ANN401
    """Print JSON, on stdout; times become ISO 8601."""
    typer.echo(json.dumps(data, indent=2, default=_plain))


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def say_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table on stdout: as wide as the terminal, and uncut where stdout is no terminal."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for column in table.columns:
        column.overflow = "fold"
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    (out if out.is_terminal else Console(highlight=False, width=_PIPE_WIDTH)).print(table)


def duration(seconds: float) -> str:
    """Seconds in words.

    >>> duration(0.34), duration(75), duration(7260)
    ('0.3 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
