"""The service of a home as a process: is it there, start it, end it."""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from sagehound.address import Address, load_address
from sagehound.errors import InvalidInput, ServiceUnavailable

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 30.0
_POLL_S = 0.05


def ping(address: Address, timeout_s: float = 2.0) -> bool:
    """Whether the service answers. Goes straight to it, past any proxy that the environment names."""
    parts = urlsplit(address.endpoint)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def running(home: Path) -> Address | None:
    """Where the service of `home` answers, or None."""
    try:
        address = load_address(home)
    except ServiceUnavailable:
        return None
    return address if ping(address) else None


def require(home: Path) -> Address:
    """Where the service of `home` answers; ServiceUnavailable where it does not."""
    address = load_address(home)
    if not ping(address):
        raise ServiceUnavailable(
            f"the service of {home} (process {address.pid}) does not answer at {address.endpoint}; "
            f"see {home / 'service.log'}, or start it again: sagehound down && sagehound up --detach"
        )
    return address


def start(home: Path, options: Sequence[str] = ()) -> Address:
    """Start the service of `home` in a session of its own and return once it answers; its output goes to
    `home/service.log`. `options` are those of `sagehound up`. InvalidInput where the home cannot be written,
    ServiceUnavailable with the log's end where it ends instead, or does not answer within 30 s."""
    log = home / "service.log"
    try:
        home.mkdir(0o700, parents=True, exist_ok=True)
        output = log.open("ab")
    except OSError as problem:
        raise InvalidInput(
            f"{home} cannot be the service's home ({problem}); choose a folder of your own: sagehound up --home FOLDER"
        ) from None
    with output:
        begin = output.tell()
        command = [sys.executable, "-m", "sagehound.cli", "up", "--home", str(home), *options]
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, cwd="/"
        )
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        address = running(home)
        if address is not None:
            threading.Thread(target=child.wait, daemon=True).start()  # Leaves no zombie, whenever it ends.
            return address
        if child.poll() is not None:
            raise ServiceUnavailable(f"the service ended at its start:\n{_end_of(log, begin)}")
        time.sleep(_POLL_S)
    child.terminate()
    raise ServiceUnavailable(f"the service did not answer within {START_TIMEOUT_S:.0f} s:\n{_end_of(log, begin)}")


def stop(home: Path, timeout_s: float = STOP_TIMEOUT_S) -> int:
    """Ask the service of `home` to end, wait until it has, and return the process that it was; ServiceUnavailable
    where none runs or it does not end in time."""
    address = load_address(home)
    if not (ping(address) or _is_service(address.pid)):
        raise ServiceUnavailable(f"no service runs in {home}; start one with: sagehound up --detach")
    process = psutil.Process(address.pid)
    process.terminate()
    try:
        process.wait(timeout_s)
    except psutil.TimeoutExpired:
        raise ServiceUnavailable(
            f"the service (process {address.pid}) did not end within {timeout_s:.0f} s; see {home / 'service.log'}, "
            f"or end it with: kill -9 {address.pid} (running jobs go on)"
        ) from None
    return address.pid


def _is_service(pid: int) -> bool:
    """Whether the process is a Sagehound's: the number may have gone to another program since the address was kept."""
    try:
        return any("sagehound" in part for part in psutil.Process(pid).cmdline())
    except psutil.Error:
        return False


def _end_of(log: Path, begin: int, lines: int = 15) -> str:
    with log.open("rb") as file:
        file.seek(begin)
        text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:]) or f"(nothing in {log})"
