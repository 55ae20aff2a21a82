"""Real worker processes over a model folder that a test wrote."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


@dataclass
class Answer:
    status: int
    body: bytes
    content_type: str

    @property
    def text(self) -> str:
        return self.body.decode()


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self._path)


class Worker:
    """A client of one worker process."""

    def __init__(self, process: subprocess.Popen[str], path: str) -> None:
        self.process = process
        self._path = path

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        connection = _Connection(self._path)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.read(), response.headers.get("content-type", ""))
        finally:
            connection.close()

    def invoke(self, body: bytes, content_type: str = "", accept: str = "", **headers: str) -> Answer:
        named = {"Content-Type": content_type, "Accept": accept, **headers}
        return self.ask("POST", "/invocations", body, {name: value for name, value in named.items() if value})

    def output_until(self, text: str) -> str:
        """The worker's output up to and with the line that has `text`."""
        assert self.process.stdout is not None
        seen = ""
        while text not in seen:
            line = self.process.stdout.readline()
            assert line, f"no {text!r} in {seen}"
            seen += line
        return seen


def write(model_dir: Path, files: Mapping[str, str | bytes]) -> Path:
    """The files of a model archive, unpacked."""
    for name, content in files.items():
        path = model_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return model_dir


@contextmanager
def worker(model_dir: Path, environment: Mapping[str, str] | None = None) -> Iterator[Worker]:
    """A worker over `model_dir` that listens already: its first answer comes when the model is loaded."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/w")
        listener.listen()
        argv = [sys.executable, "-m", "sagehound.serve.worker", "--model-dir", str(model_dir)]
        process = subprocess.Popen(
            [*argv, "--fd", str(listener.fileno())],
            env={**ENVIRONMENT, **(environment or {})},
            pass_fds=[listener.fileno()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
        )
        listener.close()
        with process:
            try:
                yield Worker(process, f"{folder}/w")
            finally:
                process.kill()


def load_fails(model_dir: Path, environment: Mapping[str, str] | None = None) -> tuple[str, str]:
    """(reason, output) of a worker that does not load."""
    failure = model_dir.parent / "failure"
    argv = [sys.executable, "-m", "sagehound.serve.worker", "--model-dir", str(model_dir), "--port", "0"]
    done = subprocess.run(
        [*argv, "--failure", str(failure)],
        env={**ENVIRONMENT, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return failure.read_text(), done.stdout + done.stderr
