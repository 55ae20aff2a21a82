"""`sagehound run` and `env`: a user's programs, pointed at the service."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from sagehound.cli.connection import connect, connect_or_start
from sagehound.cli.console import AsJson, Home, say, say_json
from sagehound.errors import NotFound


def run(
    command: Annotated[
        list[str],
        typer.Argument(metavar="-- CMD...", help="A program and its arguments, a .py file, or a .ipynb file."),
    ],
    home: Home = None,
) -> None:
    """Run a program, `jupyter lab` or a notebook against the local service, which is started where none runs.

    A notebook is executed in place and saved with its output. The exit status is the program's.
    """
    connection, _ = connect_or_start(home)
    os.environ.update(connection.environment())
    _find_own_programs()
    if command[0].endswith(".ipynb"):
        from sagehound.cli.notebook import execute

        for name in command:
            execute(_existing(name))
        return
    argv = [sys.executable, str(_existing(command[0])), *command[1:]] if command[0].endswith(".py") else command
    program = shutil.which(argv[0])
    if program is None:
        raise NotFound(f"there is no program {argv[0]!r} on PATH; install it, or give its path")
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(program, argv, dict(os.environ))


def _find_own_programs() -> None:
    """Without an activated environment of the user's, `python`, `aws` and `jupyter` are those beside sagehound."""
    own = str(Path(sys.executable).parent)
    if sys.prefix != sys.base_prefix and not os.environ.get("VIRTUAL_ENV") and not os.environ.get("CONDA_PREFIX"):
        os.environ["PATH"] = own + os.pathsep + os.environ.get("PATH", os.defpath)


def _existing(name: str) -> Path:
    path = Path(name)
    if not path.is_file():
        raise NotFound(f"there is no file {name!r} in {Path.cwd()}; give its path")
    return path


def env(home: Home = None, as_json: AsJson = False) -> None:
    """Print the settings for a shell: `eval "$(sagehound env)"`."""
    variables = connect(home).environment()
    if as_json:
        say_json(variables)
        return
    for name, value in variables.items():
        say(f"export {name}={shlex.quote(value)}")
