"""Why a script failed, worded as SageMaker words it, from what it wrote and the last lines of its log."""

from __future__ import annotations

import os
import re
import signal
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: The longest FailureReason that the API gives back.
MAX_CHARACTERS = 1024
_TRACEBACK = re.compile(r"^(.*?)Traceback \(most recent call last\):")
_FRAME = re.compile(r'^\s*File "([^"]+)", line (\d+)(?:, in (.+))?')
_EXCEPTION = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Warning|Failure)\b.*|^[A-Za-z_][\w.]*: .*")
_READ_ONLY = re.compile(r"Read-only file system.*/input/data/|/input/data/.*Read-only file system")
_READ_ONLY_HINT = (
    "input channels are read-only here: they are the bucket's own files. Copy what you change, e.g. to /tmp, and write "
    "results to SM_OUTPUT_DATA_DIR or SM_MODEL_DIR"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_CODE = ("/opt/ml/code/", "/opt/ml/input/data/code/")


def reason(
    *, lines: Sequence[str], code: int, command: str, folder: str, kind: str = "ExecuteUserScript", hint: str = ""
) -> str:
    """The FailureReason of a host: what the script left in output/failure of `folder` (its /opt/ml), or else the
    exception, the user's file and line, and the end of the log. `code` is minus the signal's number for a signal."""
    written = _written(f"{folder}/output/failure")
    lines = written.splitlines() if written else list(lines)
    what = [hint or signal_text(code), *exception(lines, folder), _advice(lines)]
    head = f'AlgorithmError: {kind}Error:\nExitCode {code if code >= 0 else 128 - code}\nErrorMessage "'
    tail = f'"\nCommand "{_shortened(command, 200)}"'
    room = MAX_CHARACTERS - len(head) - len(tail)
    text = "\n".join(_shortened(part, 300) for part in what if part)
    text = _with_last_lines(text, [line for line in lines if line.strip()], room)
    return head + text + tail


def exception(lines: Sequence[str], folder: str = "") -> list[str]:
    """The exception's line, and `at FILE, line N`: the innermost line of the user's own code in its traceback.

    Of several tracebacks the last that goes through the user's code is taken: those after it are of what ran it.
    """
    tracebacks = _tracebacks(lines)
    blocks = tracebacks or [list(lines)]
    blocks = [block for block in blocks if _frame(block, folder)] or blocks
    block = blocks[-1]
    frame = _frame(block, folder) or next((m for m in map(_FRAME.match, reversed(block)) if m), None)
    error = _exception_line(block, bool(tracebacks))
    return [part for part in (error, _place(frame, folder) if error and frame else "") if part]


def _advice(lines: Sequence[str]) -> str:
    """What to do about an error that has its cause in this machine rather than in the script."""
    return _READ_ONLY_HINT if any(map(_READ_ONLY.search, lines[-20:])) else ""


def signal_text(code: int) -> str:
    """What a process ended by a signal, or a shell that reports one, died of; "" for an ordinary exit."""
    number = -code if code < 0 else code - 128
    if number not in {s.value for s in signal.Signals} or 0 <= code <= 128:
        return ""
    name = signal.Signals(number).name
    hints = {
        "SIGKILL": "most likely the machine was out of memory: use a smaller batch size or fewer data loader workers",
        "SIGSEGV": "a compiled library crashed",
        "SIGBUS": "most likely /dev/shm is full: use fewer data loader workers",
        "SIGABRT": "a compiled library gave up",
    }
    return f"killed by {name}" + (f": {hints[name]}" if name in hints else "")


def _tracebacks(lines: Sequence[str]) -> list[list[str]]:
    blocks: list[list[str]] = []
    prefix = ""
    for line in lines:
        start = _TRACEBACK.match(line)
        if start:
            prefix = start.group(1)
            blocks.append([])
        elif blocks:
            blocks[-1].append(line.removeprefix(prefix))
    return blocks


def _exception_line(block: Sequence[str], after_traceback: bool) -> str:
    candidates = [line.strip() for line in block if line[:1].strip() and _EXCEPTION.match(line)]
    if after_traceback and candidates:
        return candidates[0]
    known = [line for line in candidates if re.match(r"[\w.]*(Error|ERROR|Exception|Interrupt|Exit)\b", line)]
    return known[-1] if known else ""


def _frame(block: Sequence[str], folder: str) -> re.Match[str] | None:
    frames = [match for match in map(_FRAME.match, block) if match]
    return next((frame for frame in reversed(frames) if _is_users(frame.group(1), folder)), None)


def _is_users(path: str, folder: str) -> bool:
    roots = (*_CODE, f"{folder}/code/", f"{folder}/input/data/code/")
    return path.startswith(roots) or not path.startswith(("/", "<"))


def _place(frame: re.Match[str], folder: str) -> str:
    path = frame.group(1)
    for root in (*_CODE, f"{folder}/code/", f"{folder}/input/data/code/"):
        path = path.removeprefix(root)
    return f"at {path}, line {frame.group(2)}" + (f", in {frame.group(3)}" if frame.group(3) else "")


def _with_last_lines(text: str, lines: Sequence[str], room: int) -> str:
    heading = "\nLast lines of the log:\n" if text else ""
    room -= len(text) + len(heading)
    kept: list[str] = []
    for line in reversed(lines):
        room -= len(line) + 1
        if room < 0:
            break
        kept.insert(0, line)
    if not kept and lines and room + len(lines[-1]) > 20:
        kept = [_shortened(lines[-1], room + len(lines[-1]))]
    return text + (heading + "\n".join(kept) if kept else "")


def _written(path: str) -> str:
    """The text of a plain file. Anything else the script may have left there (a pipe would keep us waiting for ever)
    is as good as nothing; so are control characters, which a terminal obeys."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return ""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return ""
    with os.fdopen(descriptor, "rb") as file:
        return _CONTROL.sub("", file.read(256 * 1024).decode(errors="replace")).strip()


def _shortened(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 3] + "..."


def oom_kills() -> int:
    """How many processes the kernel has killed for lack of memory since it started."""
    try:
        with os.fdopen(os.open("/proc/vmstat", os.O_RDONLY)) as file:
            return next((int(line.split()[1]) for line in file if line.startswith("oom_kill ")), 0)
    except OSError:
        return 0
