"""One real service in a home of its own for all tests here, and the clients that speak to it."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from sagehound import daemon
from sagehound.client import activate, deactivate, environment
from sagehound.keys import load_keys
from tests.sdk.impatience import ImpatientTime

SCRIPTS = Path(__file__).parent / "scripts"
HERE = Path(__file__).parent

#: That v2 is on its way out is not what these tests are about.
os.environ["SAGEMAKER_SUPPRESS_V2_WARNING"] = "1"


def pytest_collection_modifyitems(items):
    """The SDK's own warnings are not ours to mend."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("default"))


def start_service(home: Path) -> None:
    daemon.start(home, ["--port=0", "--max-hosts=4"])


def end_service(home: Path) -> None:
    """End the service and whatever of its jobs still runs."""
    if daemon.running(home):
        daemon.stop(home)
    for process in processes_of(home):
        with contextlib.suppress(psutil.Error):
            process.kill()


def processes_of(home: Path) -> list[psutil.Process]:
    """Every process whose command line names the home."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and any(str(home) in part for part in process.cmdline()):
                found.append(process)
    return found


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """The home of a service that runs."""
    folder = tmp_path_factory.mktemp("home")
    try:
        start_service(folder)
        yield folder
    finally:
        end_service(folder)


@pytest.fixture
def own_home(tmp_path):
    """A home for a test that ends its service the hard way; the test starts it."""
    yield tmp_path / "home"
    deactivate()
    end_service(tmp_path / "home")


def kill_service(home: Path) -> None:
    """kill -9, and wait until the process is gone."""
    process = psutil.Process(daemon.require(home).pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)


@pytest.fixture
def active(home):
    """This process's AWS clients speak to the service."""
    yield activate(home)
    deactivate()


@pytest.fixture
def session(active, monkeypatch):
    """A SageMaker session of the SDK v2, unmodified but for its patience."""
    import sagemaker
    import sagemaker.session

    monkeypatch.setattr(sagemaker.session, "time", ImpatientTime())
    yield sagemaker.Session()
    gc.collect()  # What the SDK leaves open is closed here, with its warnings, and not in some later test.


@pytest.fixture
def role(session):
    import sagemaker

    return sagemaker.get_execution_role(session)


@pytest.fixture
def sm(active):
    import boto3

    return boto3.client("sagemaker")


@pytest.fixture
def estimator(session, role):
    """Makes PyTorch estimators from the scripts beside this file."""
    from sagemaker.pytorch import PyTorch

    def make(script, **options):
        settings = {
            "role": role,
            "framework_version": "2.0",
            "py_version": "py310",
            "instance_count": 1,
            "instance_type": "ml.c5.2xlarge",
            "sagemaker_session": session,
            "metric_definitions": [{"Name": "average test loss", "Regex": r"Test set: Average loss: ([0-9\.]+)"}],
        }
        return PyTorch(entry_point=script, source_dir=str(SCRIPTS), **{**settings, **options})

    return make


@pytest.fixture
def inputs(session, tmp_path):
    """A channel of two files in S3."""
    folder = tmp_path / "data"
    for name in ("cat/one.jpg", "dog/two.jpg"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(b"\xff\xd8\xff")
    return session.upload_data(path=str(folder), bucket=session.default_bucket(), key_prefix="pets")


@pytest.fixture
def aws(home):
    """Runs the AWS CLI against the service; returns its stdout, or its CompletedProcess where `check` is False."""
    variables = {"PATH": os.environ["PATH"], "HOME": str(home), "AWS_PAGER": ""}
    variables |= environment(daemon.require(home), load_keys(home), home, variables)
    program = str(Path(sys.executable).with_name("aws"))

    def run(*arguments, check=True, **extra):
        done = subprocess.run(
            [program, *map(str, arguments)], env={**variables, **extra}, capture_output=True, text=True, timeout=120
        )
        if not check:
            return done
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
