"""Opening a trial by its path, also before there is anything."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from sagehound.debug.create_trial import create_trial
from sagehound.errors import DebuggerTypeError, DebuggerValueError, InvalidInput, MissingCollectionFiles, Unsupported
from tests.debug.folder_run import LOSS, FolderRun


@pytest.fixture
def tensors(tmp_path: Path) -> Path:
    run = FolderRun(tmp_path / "job-1" / "debug-output")
    for _ in range(3):
        run.save()
    run.close()
    return tmp_path / "job-1" / "debug-output"


@pytest.mark.parametrize("end", ["", "/", " "])
def test_a_folder_with_or_without_a_slash(tensors: Path, end: str) -> None:
    trial = create_trial(f"{tensors}{end}")
    assert trial.steps() == [0, 10, 20]
    assert trial.loaded_all_steps
    assert (trial.name, trial.path) == ("debug-output", str(tensors))


def test_its_name_and_range(tensors: Path) -> None:
    trial = create_trial(tensors, name="mine", range_steps=(10, None))
    assert (trial.name, trial.steps()) == ("mine", [10, 20])
    assert trial.tensor(LOSS.name).value(10).item() == 0.5


def test_a_training_that_has_yet_to_save_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    runs = []

    def asleep(seconds: float) -> None:
        runs.append(FolderRun(tmp_path / "tensors"))
        if len(runs) == 12:
            runs[-1].save()
            runs[-1].close()

    with caplog.at_level(logging.WARNING):
        trial = create_trial(tmp_path / "tensors", sleep=asleep)
    assert trial.steps() == [0]
    assert caplog.messages == [
        f"waiting for tensors at {tmp_path}/tensors ({waited} s so far; giving up after 30 s)" for waited in (0, 10)
    ]


def test_where_nothing_comes_it_says_what_to_check(tmp_path: Path) -> None:
    waits: list[float] = []
    with pytest.raises(MissingCollectionFiles, match=r"nor came any within 30 s\. Check the path: it is the out_dir"):
        create_trial(tmp_path / "nothing", sleep=waits.append)
    assert sum(waits) == 30


class Service(BaseHTTPRequestHandler):
    """An S3 without an object, and a SageMaker whose one job goes through `statuses`."""

    statuses: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.answer(b"<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert asked == {"TrainingJobName": "job-1"}
        self.answer(json.dumps({"TrainingJobStatus": self.statuses.pop(0)}).encode())

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Service]]:
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Service
        server.shutdown()
        thread.join()


def test_a_job_that_ends_without_tensors_is_not_waited_for(
    service: type[Service], caplog: pytest.LogCaptureFixture
) -> None:
    service.statuses[:] = ["InProgress", "Failed"]
    waits: list[float] = []
    with pytest.raises(MissingCollectionFiles, match=r"its job has ended as Failed\. Check that the job's script"):
        create_trial("s3://bucket/some/prefix/job-1/debug-output/", sleep=waits.append)
    assert sum(waits) == 10  # as long as the job ran
    assert caplog.messages[0] == (
        "waiting for tensors at s3://bucket/some/prefix/job-1/debug-output (0 s so far; its job is InProgress)"
    )


@pytest.mark.parametrize(
    ("path", "error", "said"),
    [
        (None, DebuggerValueError, "latest_job_debugger_artifacts_path"),
        ("  ", DebuggerValueError, "as the path of the tensors"),
        ("s3:///debug-output", InvalidInput, "s3://bucket/prefix"),
    ],
)
def test_no_path(path: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        create_trial(path)


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ((5, 5), DebuggerValueError),
        ((5, 1), DebuggerValueError),
        ((-1, 5), DebuggerTypeError),
        (("0", "5"), DebuggerTypeError),
        (5, DebuggerTypeError),
    ],
)
def test_no_range(tensors: Path, steps: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="range_steps"):
        create_trial(tensors, range_steps=steps)  # type: ignore[arg-type]


def test_the_profilers_data_is_refused_by_name(tensors: Path) -> None:
    with pytest.raises(Unsupported, match="profiler=True"):
        create_trial(tensors, profiler=True)


@pytest.mark.parametrize("path", ["s3://", "s3:", "s3:///"])
def test_an_address_without_a_bucket_is_refused_at_once(path: str) -> None:
    with pytest.raises(DebuggerValueError, match="names no bucket"):
        create_trial(path)
