"""The launcher that runs jobs as processes of this machine, each under a shim that outlives the service."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sagehound.errors import JobFailure, NotFound
from sagehound.jobs import environments
from sagehound.jobs.launcher import Exit, Host, Launch
from sagehound.jobs.shim import CLAIM_FILE, EXIT_FILE, LAUNCH_FILE, STOP_FILE
from sagehound.jobs.supervision import GRACE_S
from sagehound.jobs.warm_starts import WarmStarts

_SOURCE = str(Path(__file__).parents[2])
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from sagehound.jobs.shim import main; main(sys.argv[2])"


class ProcessLauncher:
    """A `Launcher` (`jobs/launcher.py` has the contract). `timeout_grace_s` is the time between SIGTERM and SIGKILL
    for a job that runs over its MaxRuntimeInSeconds. Jobs are forked from a process that has imported already what
    their scripts import, where that makes no difference to them; `warm` False switches it off."""

    def __init__(self, timeout_grace_s: float = GRACE_S, warm: bool = True) -> None:
        self._timeout_grace_s = timeout_grace_s
        self.warm = WarmStarts() if warm else None

    def start(self, launch: Launch) -> None:
        """Start the job's shim; what runs is on the disk before this returns, after some 30 ms."""
        if self.started(launch.folder):
            return
        try:
            _write_durably(launch.folder / LAUNCH_FILE, _document(launch, self._timeout_grace_s))
            if self.warm is not None and self.warm.start(launch):
                return
            shim = subprocess.run(
                [sys.executable, "-IS", "-c", _BOOT, _SOURCE, str(launch.folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
                env={"LC_ALL": "C.UTF-8"},
                cwd="/",
                timeout=60,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as problem:
            raise JobFailure(f"InternalServerError: the job could not be started: {problem}") from problem
        if shim.returncode != 0:
            said = shim.stderr.decode(errors="replace").strip().splitlines() or [f"exit status {shim.returncode}"]
            raise JobFailure(f"InternalServerError: the job could not be started: {said[-1]}")

    def started(self, folder: Path) -> bool:
        """Whether a shim ever took the job, in this life of the service or an earlier one."""
        try:
            return (folder / CLAIM_FILE).stat().st_size > 0
        except FileNotFoundError:
            return False

    async def wait(self, folder: Path) -> Exit:
        """How the job ended; NotFound where it was never started."""
        if not self.started(folder):
            raise NotFound(f"no job was started in {folder}")
        await _shim_ended(folder)
        try:
            record = json.loads((folder / EXIT_FILE).read_bytes())
        except FileNotFoundError:
            return _lost(folder)
        return Exit(**record | {"artifacts": {kind: Path(path) for kind, path in record["artifacts"].items()}})

    def forget(self, folder: Path) -> None:
        """Drop the job's records; the claim, which tells that it was started, at last."""
        for name in (EXIT_FILE, f"{EXIT_FILE}.reserved", STOP_FILE, LAUNCH_FILE, CLAIM_FILE):
            (folder / name).unlink(missing_ok=True)

    def stop(self, folder: Path, grace_s: float = GRACE_S) -> None:
        """Ask the job to end; one that was not started yet will end as soon as it is."""
        if not folder.is_dir() or (folder / EXIT_FILE).exists():
            return
        _write_durably(folder / STOP_FILE, {"grace_s": grace_s})
        pid = _living_shim(folder)
        if pid:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                return


def _document(launch: Launch, grace_s: float) -> dict[str, Any]:
    """What the shim needs to know, as JSON."""
    return {
        "job": launch.job,
        "folder": str(launch.folder),
        "hosts": [_host(host, launch) for host in launch.hosts],
        "max_runtime_s": launch.max_runtime_s,
        "grace_s": grace_s,
        "metrics": [asdict(metric) for metric in launch.metrics],
        "notes": launch.notes,
        "compress": launch.compress,
        "base_python": environments.base_python(),
        "source": _SOURCE,
    }


def _host(host: Host, launch: Launch) -> dict[str, Any]:
    build = None
    if host.requirements:
        build = environments.environment_folder(host.requirements, launch.environments_folder)
    return {
        "name": host.name,
        "folder": str(host.folder),
        "environment": host.environment,
        "argv": host.argv,
        "binds": [{"source": str(bind.source), "target": bind.target} for bind in host.binds],
        "build": build
        and {"argv": environments.build_command(host.requirements or Path(), build), "folder": str(build)},
        "sites": (sites := environments.lower_sites(build)),
        "original": str(environments.original_folder(sites, launch.environments_folder)),
    }


async def _shim_ended(folder: Path) -> None:
    """Until the shim is gone. By the kernel's word on its process where it gives one, else by its lock, in a thread."""
    pid = _living_shim(folder)
    if not pid:
        return
    try:
        process = os.pidfd_open(pid)
    except (AttributeError, OSError):
        await _lock_free(folder)
        return
    try:
        # The lock is still held, so the process that was opened is the shim, and no later one of its number.
        if _living_shim(folder) == pid:
            await _readable(process)
    finally:
        os.close(process)


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    loop.add_reader(descriptor, done.set)
    try:
        await done.wait()
    finally:
        loop.remove_reader(descriptor)


async def _lock_free(folder: Path) -> None:
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def block() -> None:
        with (folder / CLAIM_FILE).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH)
        loop.call_soon_threadsafe(done.set)

    threading.Thread(target=block, daemon=True).start()
    await done.wait()


def _living_shim(folder: Path) -> int:
    """The process number of the job's shim; 0 where it is gone."""
    try:
        with (folder / CLAIM_FILE).open() as file:
            if not os.fstat(file.fileno()).st_size:
                return 0
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(json.load(file)["pid"])
    except (FileNotFoundError, ValueError):
        return 0
    return 0


def _lost(folder: Path) -> Exit:
    """The end of a job whose shim is gone without a record: the machine went down, or somebody killed it."""
    logs = [path.stat().st_mtime for path in folder.glob("*.log")]
    claimed_at = (folder / CLAIM_FILE).stat().st_mtime
    return Exit(
        code=-signal.SIGKILL,
        cause="lost",
        reason="InternalServerError: the process that supervised the job is gone without a record: the machine went "
        "down, or it was killed. Start the job again under another name",
        started_at=claimed_at if logs else None,
        ended_at=max([claimed_at, *logs]),
    )


def _write_durably(path: Path, body: dict[str, Any]) -> None:
    """Write a file, readable by its owner alone (it holds keys), whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(body, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
