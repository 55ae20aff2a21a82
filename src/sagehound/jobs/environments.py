"""Environments made from a requirements.txt, one a content, kept for the next job or endpoint that asks for the same.

    python -m sagehound.jobs.environments REQUIREMENTS FOLDER

builds one, with pip's output on stdout. It sees the service's packages underneath: what is there already is not
installed again, and another version installed here does not touch the service.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import site
import subprocess
import sys
import sysconfig
from collections import deque
from importlib.util import find_spec
from pathlib import Path

from sagehound.errors import JobFailure
from sagehound.jobs.lines import LineWriter
from sagehound.jobs.overlay import overlay, site_packages

_COMPLETE = ".complete"
#: A line that names files beside the requirements: their content counts as well.
_LOCAL = re.compile(rb"^\s*(-r|-c|-e|--requirement|--constraint|--editable|\.)|file:", re.MULTILINE)


def service_sites() -> list[str]:
    """The folders in which the service's own packages are."""
    folders = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    return [folder for folder in dict.fromkeys(folders) if Path(folder).is_dir()]


def base_python() -> str:
    """The interpreter that the service's environment is made of."""
    return str(getattr(sys, "_base_executable", "") or sys.executable)


def python_folder(job_folder: Path, host: str) -> Path:
    """The throw-away environment of one host of a job."""
    return job_folder / f"{host}.python"


def environment_folder(requirements: Path, root: Path) -> Path:
    """Where under `root` the environment of this content is, or will be."""
    digest = hashlib.sha256(f"{sys.version} {sys.prefix}".encode())
    content = requirements.read_bytes()
    digest.update(content)
    if _LOCAL.search(content):
        for path in sorted(requirements.parent.rglob("*")):
            if path.is_file():
                digest.update(str(path.relative_to(requirements.parent)).encode() + path.read_bytes())
    return root / digest.hexdigest()[:16]


def original_folder(sites: list[str], root: Path) -> Path:
    """Where under `root` the environment is, or will be, whose files those of jobs over `sites` share."""
    digest = hashlib.sha256("\n".join([sys.version, base_python(), *sites]).encode())
    return root / f"original-{digest.hexdigest()[:16]}"


def is_ready(folder: Path) -> bool:
    """Whether the environment was built to its end."""
    return (folder / _COMPLETE).exists()


def build_command(requirements: Path, folder: Path) -> list[str]:
    """What to run to build it; a second one for the same folder waits for the first, and finds it done."""
    return [sys.executable, "-m", "sagehound.jobs.environments", str(requirements), str(folder)]


def install(requirements: Path, root: Path, log: LineWriter) -> Path:
    """The environment of `requirements` (its interpreter is `bin/python` in it), built now where there is none.

    pip's output goes to `log`. JobFailure, with pip's last line, where it fails.
    """
    folder = environment_folder(requirements, root)
    if is_ready(folder):
        return folder
    tail: deque[str] = deque(maxlen=20)
    with subprocess.Popen(
        build_command(requirements, folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/"
    ) as build:
        assert build.stdout
        for line in build.stdout:
            log.feed(line)
            tail.append(line.decode(errors="replace").strip())
    if build.returncode != 0:
        raise JobFailure(f"requirements.txt could not be installed: {last_error(list(tail))}")
    return folder


def last_error(lines: list[str]) -> str:
    """The line of pip's output that says what went wrong."""
    said = [line for line in lines if line.strip()]
    return next(
        (line for line in reversed(said) if line.startswith("ERROR:")), said[-1] if said else "pip said nothing"
    )


def build(requirements: Path, folder: Path) -> int:
    """Build the environment in `folder` under a lock; pip's exit status."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_ready(folder):
            return 0
        shutil.rmtree(folder, ignore_errors=True)
        overlay(str(folder), base_python(), service_sites())
        code = _pip(requirements, folder)
        if code == 0:
            (folder / _COMPLETE).touch()
        return code


def _pip(requirements: Path, folder: Path) -> int:
    python = str(folder / "bin" / "python")
    if find_spec("pip") is None:
        subprocess.run([python, "-m", "ensurepip"], check=True)
    command = [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "-r", str(requirements)]
    return subprocess.run(command, cwd=requirements.parent, check=False).returncode


def lower_sites(folder: Path | None) -> list[str]:
    """What shows underneath a host's own environment: the cached one, where there is one, over the service's."""
    return [*([site_packages(str(folder))] if folder else []), *service_sites()]


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1]), Path(sys.argv[2])))
