"""`python -m sagehound.serve.worker`: one endpoint instance. Loads the model, then answers on a socket.

It exits with 1 where the module or the model does not load; the reason is the last line on stderr, and the content of
the file named by `--failure`. SIGTERM lets the request in hand end first.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sagehound.errors import SagehoundError
from sagehound.serve.app import app
from sagehound.serve.faults import describe
from sagehound.serve.handlers import Handlers, load_handlers

_PR_SET_PDEATHSIG = 1


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.parent:
        die_with(options.parent)
    listener = _listener(options)
    with ThreadPoolExecutor(1, "model") as thread:
        handlers = thread.submit(_load, options.model_dir.absolute(), options.failure).result()
        if handlers is None:
            return 1
        _serve(handlers, thread, listener)
    return 0


def die_with(parent: int) -> None:
    """Have the kernel end this process when its parent does (Linux); at once where the parent is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the process that started this worker is gone")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sagehound.serve.worker", description=__doc__.splitlines()[0])
    parser.add_argument("--model-dir", type=Path, default=Path("/opt/ml/model"), help="the unpacked model archive")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--port", type=int, default=8080, help="loopback port to answer on (default 8080)")
    place.add_argument("--socket", type=Path, help="unix socket to answer on")
    place.add_argument("--fd", type=int, help="inherited listening socket to answer on")
    parser.add_argument("--failure", type=Path, help="file to write the reason to when loading fails")
    parser.add_argument("--parent", type=int, default=0, help="process with which this one ends")
    return parser


def _listener(options: argparse.Namespace) -> socket.socket:
    if options.fd is not None:
        return socket.socket(fileno=options.fd)
    if options.socket:
        options.socket.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(options.socket))
    else:
        listener = socket.create_server(("127.0.0.1", options.port))
    listener.listen()
    return listener


def _load(model_dir: Path, failure: Path | None) -> Handlers | None:
    try:
        handlers = load_handlers(model_dir)
        handlers.load()
    except SagehoundError as error:
        _failed(str(error), failure)
        return None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's module may raise anything
        traceback.print_exc()
        _failed(describe(error, model_dir.parent), failure)
        return None
    return handlers


def _failed(reason: str, failure: Path | None) -> None:
    print(reason, file=sys.stderr, flush=True)
    if failure:
        failure.write_text(reason)


def _serve(handlers: Handlers, thread: ThreadPoolExecutor, listener: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(
        app(handlers, thread),
        server_header=False,
        date_header=False,
        lifespan="off",
        proxy_headers=False,
        ws="none",
        access_log=False,
        log_config=None,
        timeout_keep_alive=86400,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
