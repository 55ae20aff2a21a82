"""A Python environment that shows others underneath: what is installed into it does not change them.

Each host of a job has one of its own, thrown away with the job, so `pip install` in a script reaches that job alone,
as in a container. It takes about a millisecond: folders with a `pyvenv.cfg`, links, commands and one `.pth` file. Files
that are the same for all are one, by hard links: a file system that has just removed many makes new ones slowly.
"""

# pathlib takes longer to import than all that is done here.
# ruff: noqa: PTH101, PTH103, PTH104, PTH108, PTH110, PTH120, PTH123, PTH211

from __future__ import annotations

import os
import sys

#: Commands that would otherwise run with the interpreter underneath, and so install and see the wrong packages.
_COMMANDS = {"pip": "pip", "pip3": "pip", "torchrun": "torch.distributed.run"}


def overlay(folder: str, base_python: str, lower: list[str], original: str = "") -> None:
    """Make the environment in `folder`; `base_python` is the interpreter outside of any environment, `lower` the
    site-packages folders that show underneath, the first one on top. `original` is another of the same kind, made here
    where it is not there yet, whose files this one shares: pip replaces files, and writes into none."""
    if original:
        _make_original(original, base_python, lower)
    os.makedirs(f"{folder}/bin", exist_ok=True)
    os.makedirs(site_packages(folder), exist_ok=True)
    for name, target in _links(base_python).items():
        if not _shared(original, folder, name):
            os.symlink(target, f"{folder}/{name}")
    for name, text in _files(base_python, lower).items():
        if not _shared(original, folder, name):
            _write(f"{folder}/{name}", text, 0o755 if name.startswith("bin/") else 0o644)


def _links(base_python: str) -> dict[str, str]:
    versions = ("python3", f"python3.{sys.version_info[1]}")
    return {"bin/python": base_python, **{f"bin/{name}": "python" for name in versions}}


def _files(base_python: str, lower: list[str]) -> dict[str, str]:
    version = ".".join(map(str, sys.version_info[:3]))
    home = os.path.dirname(base_python)
    commands = {
        f"bin/{name}": f'#!/bin/sh\nexec "${{0%/*}}/python" -m {module} "$@"\n' for name, module in _COMMANDS.items()
    }
    return {
        "pyvenv.cfg": f"home = {home}\ninclude-system-site-packages = false\nversion = {version}\n",
        f"{site_packages('.')}/_lower.pth": underneath(lower),
        **commands,
    }


def _make_original(original: str, base_python: str, lower: list[str]) -> None:
    """Whole or not at all; without it every environment has files of its own."""
    if os.path.exists(f"{original}/pyvenv.cfg"):
        return
    draft = f"{original}.{os.getpid()}"
    try:
        overlay(draft, base_python, lower)
        os.rename(draft, original)
    except OSError:  # another was faster, or nothing can be written there
        from shutil import rmtree

        rmtree(draft, ignore_errors=True)


def _shared(original: str, folder: str, name: str) -> bool:
    """Whether the file could be had as a second name of the original's. Nothing has the name where not."""
    path = f"{folder}/{name}"
    if os.path.lexists(path):
        os.unlink(path)
    if not original:
        return False
    try:
        os.link(f"{original}/{name}", path, follow_symlinks=False)
    except OSError:
        return False
    return True


def underneath(lower: list[str]) -> str:
    """The `.pth` file of an environment that shows the folders `lower`."""
    return "".join(f"import site; site.addsitedir({path!r})\n" for path in lower)


def site_packages(folder: str) -> str:
    """Where packages are in an environment that `overlay` made."""
    return f"{folder}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"


def _write(path: str, text: str, mode: int = 0o644) -> None:
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)
