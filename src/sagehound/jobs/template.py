"""The process that jobs are forked from: an interpreter that has imported what scripts import, and does nothing else.

`jobs/warm_starts.py` starts it and asks it, through a socket that only the two have; it ends when the other end is
closed, or when nothing was asked of it for a while. It never has a second thread, an open device or a file of its own.
"""

# ruff: noqa: PTH208

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
from types import ModuleType

# What a shim and its sampler import late is here already, for all of them.
from sagehound.jobs import gpus, job_processes, leavings, machine, samples, shim  # noqa: F401
from sagehound.jobs.script import Actor, Script, cut
from sagehound.jobs.script_needs import KNOWN
from sagehound.jobs.stash import Stash
from sagehound.jobs.template_program import READY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any


class Unfit(Exception):
    """A module cannot be imported ahead: it is the first argument, the second says why."""


def serve(plain: set[str], channel_fd: str, told: str) -> tuple[CodeType, dict[str, Any], Callable[..., None]]:
    """Import what is `told` (JSON: `modules`, `sites`, `dropin`, `idle_s`), then fork a job for each message.

    Returns in a forked process that is to run a script: its code, its namespace, and what to call with the exception
    that ends it. `plain` is what was loaded when the interpreter had started.
    """
    channel = socket.socket(fileno=int(channel_fd))
    words = json.loads(told)
    python_path = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    path = _as_jobs_see([entry for entry in sys.path[2:] if entry not in python_path], words["sites"])
    sys.path[:] = [*python_path, *path]
    try:
        stash = Stash(_loaded(words["modules"], channel.fileno()))
    except Unfit as unfit:
        channel.send(json.dumps(unfit.args).encode())
        os._exit(0)
    actor = Actor(plain, path, words["sites"], words["dropin"], stash)
    # Nothing waits for what it forks: the kernel forgets them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    # Pages that the collector does not write to stay shared with the jobs.
    gc.freeze()
    channel.send(json.dumps([READY, *stash.names(KNOWN)]).encode())
    channel.settimeout(words["idle_s"])
    return (*_run(*_fork_jobs(channel, actor)), cut)


def _fork_jobs(channel: socket.socket, actor: Actor) -> tuple[Actor, Script, dict[str, str]]:
    while True:
        try:
            message, descriptors, _, _ = socket.recv_fds(channel, 65536, 1)
        except TimeoutError:
            message, descriptors = b"", []
        if not message:
            os._exit(0)
        if os.fork() == 0:
            channel.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            return _as_shim(message.decode(), descriptors[0], actor)
        for descriptor in descriptors:
            os.close(descriptor)


def _as_shim(folder: str, answer: int, actor: Actor) -> tuple[Actor, Script, dict[str, str]]:
    """Supervise the job in `folder`; what returns from it is its script."""
    given: dict[str, str] = {}

    def execute(program: str, argv: list[str], environment: dict[str, str]) -> Any:  # noqa: ANN401
        given.update(environment)
        actor.execute(program, argv, environment)

    try:
        shim.own(folder, answer, execute)
    except Script as script:
        return actor, script.with_traceback(None), given
    except BaseException:  # noqa: BLE001 - a forked process must not go on as its parent
        os._exit(70)


def _run(actor: Actor, script: Script, environment: dict[str, str]) -> tuple[CodeType, dict[str, Any]]:
    try:
        return script.code, actor.enter(script, environment)
    except Exception:  # noqa: BLE001 - whatever it is, the script has a plain start
        os.execve(script.executable, script.argv, environment)


def _as_jobs_see(path: list[str], sites: list[str]) -> list[str]:
    """`path` with its package folders in the order in which a job's environment has them."""
    ordered = iter(sorted((entry for entry in path if entry in sites), key=sites.index))
    return [next(ordered) if entry in sites else entry for entry in path]


def _loaded(names: list[str], channel: int) -> list[tuple[str, dict[str, ModuleType]]]:
    """Import `names`, package by package: each with the modules that came with it, but for the standard library's."""
    groups = []
    for root in KNOWN:
        before = set(sys.modules)
        for name in sorted(name for name in names if name.split(".")[0] == root):
            _import(name)
        came = {name: module for name, module in sys.modules.items() if name not in before and _is_foreign(name)}
        if came:
            groups.append((root, came))
        _check(root, channel)
    return groups


def _import(name: str) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as problem:
        # `from torch import Tensor` names no module; neither does a package that is not installed.
        if problem.name is None or not f"{name}.".startswith(f"{problem.name}."):
            raise Unfit(name.split(".")[0], repr(problem)) from problem
    except Exception as problem:
        raise Unfit(name.split(".")[0], repr(problem)) from problem


def _is_foreign(name: str) -> bool:
    return name.partition(".")[0] not in sys.stdlib_module_names and not name.startswith("sagehound")


def _check(root: str, channel: int) -> None:
    """Unfit where what was imported last leaves anything that a fork does not carry over."""
    # OpenBLAS ends its threads when a process forks, and starts them anew when they are needed.
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    threads = len(os.listdir("/proc/self/task"))
    if threads > 1:
        raise Unfit(root, f"its import starts {threads - 1} threads")
    opened = [_target(name) for name in os.listdir("/proc/self/fd") if int(name) > 2 and int(name) != channel]
    if any(opened):
        raise Unfit(root, f"its import keeps {', '.join(filter(None, opened))} open")


def _target(descriptor: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115
    except OSError:
        return ""
