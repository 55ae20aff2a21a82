"""The process launcher: the suite, and what is its own: shims that outlive the service."""

import json
import os
import select
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from sagehound.jobs.launcher import Launcher
from sagehound.jobs.process import ProcessLauncher
from sagehound.testing.launcher_suite import LauncherSuite, await_line, ended, make_launch, text

_SERVICE = """
import sys
from pathlib import Path
from sagehound.jobs.process import ProcessLauncher
from sagehound.testing.launcher_suite import make_launch
ProcessLauncher().start(make_launch(Path(sys.argv[1]), sys.argv[2]))
print("started", flush=True)
import time; time.sleep(600)
"""
_WAIT_FOR_FILE = """
import os, time
print("ready")
while not os.path.exists("go"): time.sleep(0.01)
print("went on")
"""


@pytest.fixture
def launcher() -> Launcher:
    return ProcessLauncher(timeout_grace_s=5, warm=False)


class TestProcessLauncher(LauncherSuite):
    """The whole contract."""


def _shim(folder: Path) -> int:
    return json.loads((folder / "shim.json").read_text())["pid"]


def test_a_job_outlives_the_service_that_started_it(launcher, tmp_path):
    folder = tmp_path / "job"
    with subprocess.Popen([sys.executable, "-c", _SERVICE, folder, _WAIT_FOR_FILE], stdout=subprocess.PIPE) as service:
        assert service.stdout.readline() == b"started\n"
        service.kill()
    await_line(folder, "ready")
    (folder / "algo-1" / "code" / "go").touch()
    assert ended(launcher, folder).code == 0
    assert text(folder)[-1] == "went on"


def test_a_job_whose_shim_was_killed_is_lost_and_nothing_of_it_lives(launcher, tmp_path):
    folder = tmp_path / "job"
    launcher.start(make_launch(folder, "import os, time\nprint(os.getpid())\nprint('ready')\ntime.sleep(600)"))
    await_line(folder, "ready")
    script = os.pidfd_open(int(text(folder)[0]))
    os.kill(_shim(folder), signal.SIGKILL)
    end = ended(launcher, folder)
    assert end.cause == "lost"
    assert "without a record" in end.reason
    assert select.select([script], [], [], 30)[0], "the script outlived its shim"
    os.close(script)


def test_a_stop_reaches_a_job_that_another_service_started(launcher, tmp_path):
    launcher.start(make_launch(tmp_path / "job", "import time\nprint('ready')\ntime.sleep(600)"))
    await_line(tmp_path / "job", "ready")
    ProcessLauncher().stop(tmp_path / "job")
    assert ended(ProcessLauncher(), tmp_path / "job").cause == "stopped"


def test_the_launch_document_is_its_owners_alone(launcher, tmp_path):
    launcher.start(make_launch(tmp_path / "job", "pass"))
    ended(launcher, tmp_path / "job")
    assert (tmp_path / "job" / "launch.json").stat().st_mode & 0o077 == 0


def test_two_jobs_side_by_side_write_the_same_literal_path(launcher, tmp_path):
    script = """
import os, time
os.makedirs("/opt/ml/model", exist_ok=True)
open("/opt/ml/model/who", "w").write(JOB)
print("ready")
while not os.path.exists("/opt/ml/code/go"): time.sleep(0.01)
assert open("/opt/ml/model/who").read() == JOB
"""
    for name in ("one", "two"):
        launcher.start(make_launch(tmp_path / name, f"JOB = {name!r}{script}"))
    for name in ("one", "two"):
        await_line(tmp_path / name, "ready")
    for name in ("one", "two"):
        (tmp_path / name / "algo-1" / "code" / "go").touch()
        end = ended(launcher, tmp_path / name)
        assert end.code == 0, end.reason
        with tarfile.open(end.artifacts["model"]) as tar:
            assert tar.extractfile("who").read().decode() == name


def test_a_host_knows_its_own_and_the_others_names(launcher, tmp_path):
    script = "import socket\nprint(socket.gethostname(), socket.gethostbyname('algo-2'))"
    launcher.start(make_launch(tmp_path / "job", script, hosts=2))
    assert ended(launcher, tmp_path / "job").code == 0
    assert text(tmp_path / "job", "algo-1") == ["algo-1 127.0.0.1"]


def test_a_signal_is_named(launcher, tmp_path):
    launcher.start(make_launch(tmp_path / "job", "import os\nos.kill(os.getpid(), 9)"))
    end = ended(launcher, tmp_path / "job")
    assert end.code == -signal.SIGKILL
    assert "killed by SIGKILL" in end.reason
    assert "out of memory" in end.reason


def test_a_script_that_cannot_be_run_says_so(launcher, tmp_path):
    launch = make_launch(tmp_path / "job", "pass")
    host = launch.hosts[0]
    broken = type(host)(name=host.name, folder=host.folder, environment=host.environment, argv=("no-such-program",))
    launcher.start(type(launch)(job="job", folder=launch.folder, hosts=(broken,), max_runtime_s=60))
    end = ended(launcher, tmp_path / "job")
    assert end.code == 127
    assert "cannot run 'no-such-program'" in end.reason


def test_a_regular_expression_without_end_hangs_neither_job_nor_log(launcher, tmp_path):
    script = f"print('{'a' * 40}b')\nfor n in range(100): print('loss:', n)"
    metrics = {"bad": "(a+)+$", "good": r"loss: (\d+)"}
    launcher.start(make_launch(tmp_path / "job", script, metrics=metrics))
    assert ended(launcher, tmp_path / "job").code == 0
    lines = text(tmp_path / "job")
    assert "loss: 99" in lines
    assert any("metric 'bad' is not read any more" in line for line in lines)


def test_a_full_disk_is_the_reason(launcher, tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], capture_output=True, check=False)
    if mount.returncode:
        pytest.skip("only root may mount the small file system that this needs")
    try:
        script = "import os\nopen('../model/weights', 'wb').write(os.urandom(2_000_000))"
        launcher.start(make_launch(folder, script))
        end = ended(launcher, folder)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
    assert end.code == 1
    assert "model.tar.gz could not be packed: No space left on device" in end.reason


def test_a_script_that_fills_the_disk_is_recorded(launcher, tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], capture_output=True, check=False)
    if mount.returncode:
        pytest.skip("only root may mount the small file system that this needs")
    try:
        launcher.start(make_launch(folder, "open('../output/data/x', 'wb').write(b'x' * 9_000_000)"))
        end = ended(launcher, folder)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
    assert end.code == 1
    assert "No space left on device" in end.reason


def test_what_a_shell_runs_has_its_grace_too(launcher, tmp_path):
    script = """
import signal, sys, time
def save(*_):
    time.sleep(0.3)
    open("/opt/ml/model/saved", "w").write("x")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("ready")
time.sleep(600)
"""
    launch = make_launch(tmp_path / "job", script)
    host = launch.hosts[0]
    shell = ("bash", "-c", f"true && {sys.executable} train.py; true")
    behind = type(host)(name=host.name, folder=host.folder, environment=host.environment, argv=shell)
    launcher.start(type(launch)(job="job", folder=launch.folder, hosts=(behind,), max_runtime_s=60 * 24 * 3600))
    await_line(tmp_path / "job", "ready")
    launcher.stop(tmp_path / "job", grace_s=30)
    end = ended(launcher, tmp_path / "job")
    assert end.cause == "stopped"
    with tarfile.open(end.artifacts["model"]) as tar:
        assert tar.getnames() == ["saved"]


def test_a_script_that_stops_its_parent_is_ended_all_the_same(tmp_path):
    script = "import os, signal; os.kill(os.getppid(), signal.SIGSTOP); print('stopped'); os.kill(os.getpid(), 19)"
    launcher = ProcessLauncher()
    launcher.start(make_launch(tmp_path / "job", script))
    await_line(tmp_path / "job", "stopped")
    launcher.stop(tmp_path / "job", 0.1)
    end = ended(launcher, tmp_path / "job")
    assert (end.cause, end.reason) == ("stopped", "")
