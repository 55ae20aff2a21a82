"""The process that stands between the shim and one host's script, and sees to it that nothing of the host outlives it.

It starts the script in a /opt/ml of its own, adopts what the script leaves behind, and when the script ends, or the
shim dies, ends all of that too, as the end of a container would. It is forked from the shim without exec, so
it costs a millisecond.
"""

# pathlib takes longer to import than a keeper lives before its script starts.
# ruff: noqa: PTH119, PTH123

from __future__ import annotations

import os
import signal
import sys

from sagehound.jobs import enclosure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    #: Becomes `program`, as `os.execvpe` does; or raises `Unwound` to go on as it without one.
    Execute = Callable[[str, list[str], dict[str, str]], NoReturn]

#: What the shim sends to end everything at once (the kernel sends it too, when the shim dies).
KILL = signal.SIGUSR1
#: What a keeper waits for, and nothing but by waiting.
_SIGNALS = frozenset({signal.SIGTERM, KILL, signal.SIGCHLD})
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
#: The job rather than the shim or the service goes when memory runs out.
_OOM_SCORE = b"300"
_SHELLS = ("sh", "bash", "dash")


class Unwound(BaseException):
    """Takes a forked process out of everything that supervises jobs, up to where it goes on as a script."""


def start(
    argv: list[str],
    environment: dict[str, str],
    folder: str,
    spec: enclosure.Spec | None,
    execute: Execute = os.execvpe,
) -> tuple[int, int, int]:
    """Fork a keeper that runs `argv` in `folder`, in an enclosure where `spec` is given.

    Returns the keeper's process number, the descriptor of what the script prints, and the one on which its exit
    status comes at the end, as decimal text (minus the signal's number where a signal ended it).
    """
    out, out_writer = os.pipe()
    status, status_writer = os.pipe()
    shim = os.getpid()
    # Before the fork: a stop that comes at once waits for the keeper's turn, and is not spent on the shim's handler.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    keeper = os.fork()
    if keeper == 0:
        try:
            _keep(argv, environment, folder, spec, execute, shim, out_writer, status_writer)
        except Unwound:
            raise
        except BaseException:  # noqa: BLE001 - a forked process must not go on as its parent
            os._exit(70)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    os.close(out_writer)
    os.close(status_writer)
    return keeper, out, status


def _keep(
    argv: list[str],
    environment: dict[str, str],
    folder: str,
    spec: enclosure.Spec | None,
    execute: Execute,
    shim: int,
    out: int,
    status: int,
) -> NoReturn:
    signal.set_wakeup_fd(-1)
    os.setsid()
    die_with(shim, KILL)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    status = _only_standard_streams(out, status)
    script, refusal = _fork(spec or {}, {}, argv, environment, folder, execute)
    if spec and refusal:
        os.write(1, enclosure.refusal_line(refusal, spec["folder"]).encode() + b"\n")
        environment, argv = enclosure.degrade(spec, environment, argv)
        script, _ = _fork({}, spec, argv, environment, enclosure.real_path(folder, spec["folder"]), execute)
    code = _wait(script, is_shell=os.path.basename(argv[0]) in _SHELLS)
    _kill_descendants()
    os.write(status, str(code).encode())
    os._exit(0)


def _only_standard_streams(out: int, status: int) -> int:
    """Close whatever the shim had open (its lock above all): nothing but 0, 1, 2 and the status pipe stays."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    kept = os.dup2(status, 3, inheritable=False) if status != 3 else status
    os.closerange(4, os.sysconf("SC_OPEN_MAX") if sys.platform != "linux" else 4096)
    return kept


def _fork(
    spec: enclosure.Spec,
    copied: enclosure.Spec,
    argv: list[str],
    environment: dict[str, str],
    folder: str,
    execute: Execute,
) -> tuple[int, str]:
    """Fork the script, in the enclosure of `spec` where there is one, else with the binds of `copied` put into its
    folder. Its process number, and why it could not be had in the enclosure: it is gone then."""
    refusals, writer = os.pipe()
    script = os.fork()
    if script == 0:
        _exec(spec, copied, argv, environment, folder, execute, writer)
    os.close(writer)
    with open(refusals, errors="replace") as pipe:
        refusal = pipe.read()
    if refusal:
        os.waitpid(script, 0)
    return script, refusal


def _exec(
    spec: enclosure.Spec,
    copied: enclosure.Spec,
    argv: list[str],
    environment: dict[str, str],
    folder: str,
    execute: Execute,
    refusals: int,
) -> NoReturn:
    """Become the script. What is copied is copied here, where a stop ends that too."""
    try:
        keeper = os.getppid()
        os.setsid()
        if spec and (refusal := enclosure.attempt(spec)):
            os.write(refusals, refusal.encode())
            os._exit(0)
        os.close(refusals)
        # After the enclosure: a new user namespace is new credentials, which make the kernel forget it.
        die_with(keeper, signal.SIGKILL)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        _prefer_for_oom()
        enclosure.copy_binds(copied)
        os.chdir(folder)
        execute(argv[0], argv, environment)
    except Unwound:
        raise
    except OSError as problem:
        os.write(2, f"sagehound: cannot run {argv[0]!r} in {folder}: {problem.strerror}\n".encode())
        os._exit(127)
    except BaseException:  # noqa: BLE001 - a forked process must not go on as its parent
        os._exit(127)


def _wait(script: int, is_shell: bool) -> int:
    """Until the script ends; SIGTERM is passed on to its process group, KILL ends everything.

    A shell dies of SIGTERM at once, while what it runs is still saving its work: that has until KILL to end.
    """
    asked = False
    code: int | None = None
    while True:
        received = signal.sigwait(_SIGNALS)
        if received == signal.SIGTERM:
            asked = True
            _signal_group(script, signal.SIGTERM)
        elif received == KILL:
            _signal_group(script, signal.SIGKILL)
            _kill_descendants(script)
        ended = _reap(script)
        code = ended if code is None else code
        if code is None:
            continue
        if not (is_shell and asked and code == -signal.SIGTERM and _descendants(os.getpid())):
            return code


def _reap(script: int) -> int | None:
    """Take note of every child that ended; the script's exit status where it is among them."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == script:
            code = os.waitstatus_to_exitcode(status)


def _kill_descendants(but: int = 0) -> None:
    """End every process that the host started, whatever session it is in; `but` is left to be waited for."""
    while but or not _childless():
        living = [pid for pid in _descendants(os.getpid()) if pid != but]
        for pid in living:
            _signal(pid, signal.SIGKILL)
        if but or not living:
            return
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _childless() -> bool:
    """Whether nothing of the host is left: who has no children, and adopts, has no descendants."""
    try:
        return os.waitpid(-1, os.WNOHANG) is None
    except ChildProcessError:
        return True


def _descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if sys.platform == "linux" else ():  # noqa: PTH208
        if name.isdigit():
            children.setdefault(_parent(name), []).append(int(name))
    found, queue = [], [root]
    while queue:
        queue += (below := children.get(queue.pop(), []))
        found += below
    return found


def _parent(pid: str) -> int:
    """The parent of a process; 0 for one that is gone, or is dead and only waits to be reaped by another."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        _signal(group, number)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def die_with(parent: int, number: signal.Signals) -> None:
    _prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os._exit(70)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _prefer_for_oom() -> None:
    try:
        with open("/proc/self/oom_score_adj", "wb") as file:
            file.write(_OOM_SCORE)
    except OSError:
        return
