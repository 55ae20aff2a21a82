"""A Python environment that shows others underneath: what is installed into it does not change them.

Each host of a job has one of its own, thrown away with the job, so `pip install` in a script reaches that job alone,
as in a container. It takes about a millisecond: a folder with a `pyvenv.cfg`, links, and one `.pth` file.
"""

# pathlib takes longer to import than all that is done here.
# ruff: noqa: PTH103, PTH108, PTH120, PTH123, PTH211

from __future__ import annotations

import os
import sys

#: Commands that would otherwise run with the interpreter underneath, and so install and see the wrong packages.
_COMMANDS = {"pip": "pip", "pip3": "pip", "torchrun": "torch.distributed.run"}


def overlay(folder: str, base_python: str, lower: list[str]) -> None:
    """Make the environment in `folder`; `base_python` is the interpreter outside of any environment, `lower` the
    site-packages folders that show underneath, the first one on top."""
    python, packages = f"{folder}/bin/python", site_packages(folder)
    os.makedirs(f"{folder}/bin", exist_ok=True)
    os.makedirs(packages, exist_ok=True)
    version = ".".join(map(str, sys.version_info[:3]))
    home = os.path.dirname(base_python)
    _write(f"{folder}/pyvenv.cfg", f"home = {home}\ninclude-system-site-packages = false\nversion = {version}\n")
    for name in ("python", "python3", f"python3.{sys.version_info[1]}"):
        _link(base_python if name == "python" else "python", f"{folder}/bin/{name}")
    for name, module in _COMMANDS.items():
        _write(f"{folder}/bin/{name}", f'#!/bin/sh\nexec "{python}" -m {module} "$@"\n', 0o755)
    _write(f"{packages}/_lower.pth", underneath(lower))


def underneath(lower: list[str]) -> str:
    """The `.pth` file of an environment that shows the folders `lower`."""
    return "".join(f"import site; site.addsitedir({path!r})\n" for path in lower)


def site_packages(folder: str) -> str:
    """Where packages are in an environment that `overlay` made."""
    return f"{folder}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"


def _link(target: str, path: str) -> None:
    try:
        os.symlink(target, path)
    except FileExistsError:
        os.unlink(path)
        os.symlink(target, path)


def _write(path: str, text: str, mode: int = 0o644) -> None:
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)  # noqa: PTH101
