"""`sagehound new`: files to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sagehound.cli.console import progress, say

SOURCE = Path(__file__).parents[1] / "starters"


def new(
    folder: Annotated[Path, typer.Argument(help="Where to write; made where missing.")],
) -> None:
    """Write the starter files: hpo.py, train_model.py, inference.py and train_and_deploy.ipynb."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = []
    for source in starter_files():
        target = folder / source.name
        try:
            with target.open("xb") as file:
                file.write(source.read_bytes())
            say(str(target))
        except FileExistsError:
            kept.append(source.name)
    if kept:
        progress(f"kept as they are: {', '.join(kept)} (remove one to have it written anew)")
    progress(f"Next: sagehound run -- {folder / 'train_and_deploy.ipynb'}, or: sagehound run -- jupyter lab {folder}")


def starter_files() -> list[Path]:
    """The starter files, as they lie in the package."""
    return sorted(path for path in SOURCE.iterdir() if path.suffix in (".py", ".ipynb", ".txt"))
