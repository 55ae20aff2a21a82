"""What a job leaves: its model and its output, packed for the upload."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from sagehound.jobs.packing import is_empty, pack

_KINDS = {"model": "model", "output": "output/data"}


def collect(
    job_folder: str, host_folders: list[str], compress: bool, keep_model: bool
) -> tuple[dict[str, str], list[str], str]:
    """Pack what the hosts left in `model` and `output/data` into `<job folder>/artifacts`.

    What several hosts left is put together; the first host's file wins. Returns the archives (or folders) by kind,
    the names that could not be packed, and what went wrong ("" for nothing), worded for the job's owner.
    """
    artifacts: dict[str, str] = {}
    left_out: list[str] = []
    for kind, place in _KINDS.items():
        folders = [folder for folder in (Path(host) / place for host in host_folders) if not is_empty(folder)]
        if not folders or (kind == "model" and not keep_model):
            continue
        target = Path(job_folder) / "artifacts" / (f"{kind}.tar.gz" if compress else kind)
        try:
            if compress:
                left_out += pack(folders, target)
            else:
                target = _together(folders, target)
        except OSError as problem:
            return {}, left_out, _trouble(target.name, problem, job_folder)
        artifacts[kind] = str(target)
    return artifacts, left_out, ""


def _together(folders: list[Path], target: Path) -> Path:
    if len(folders) == 1:
        return folders[0]
    for folder in reversed(folders):
        shutil.copytree(folder, target, symlinks=True, dirs_exist_ok=True)
    return target


def _trouble(name: str, problem: OSError, folder: str) -> str:
    free_mb = shutil.disk_usage(folder).free / 1e6
    what = problem.strerror or str(problem)
    place = f" ({os.path.basename(problem.filename)})" if isinstance(problem.filename, str) else ""  # noqa: PTH119
    return f"ClientError: {name} could not be packed: {what}{place}; {free_mb:.0f} MB are free in {folder}"
