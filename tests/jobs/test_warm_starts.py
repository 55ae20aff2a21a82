"""Starting jobs from a template: when it is used, when it is not, and what happens when it fails."""

import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sagehound.jobs import process
from sagehound.jobs.process import ProcessLauncher
from sagehound.jobs.warm_starts import need_of
from sagehound.testing.launcher_suite import LauncherSuite, await_line, ended, make_launch, text
from tests.jobs.warm_jobs import HEAD, NOTE, a_job, seen, was_warm

_WAITS = f"{HEAD}import os, time\nprint('ready')\nwhile not os.path.exists('go'): time.sleep(0.01)\nprint('went on')"


@pytest.fixture
def launcher():
    launcher = ProcessLauncher(timeout_grace_s=5)
    yield launcher
    launcher.warm.close()


@pytest.fixture
def ready(launcher, tmp_path):
    """A launcher whose template has numpy."""
    first = a_job(tmp_path / "first", HEAD)
    seen(launcher, first)
    assert not was_warm(first.folder)
    assert launcher.warm.await_ready(60)
    return launcher


def _warm(launcher, folder, script=HEAD, **rest):
    """Whether a job starts warm; it must end well."""
    code, _, reason, _ = seen(launcher, a_job(folder, script, **rest))
    assert code == 0, reason
    return was_warm(folder)


def test_the_second_job_starts_warm(ready, tmp_path):
    assert _warm(ready, tmp_path / "job")


def test_switched_off_there_is_no_template(tmp_path):
    launcher = ProcessLauncher(warm=False)
    assert launcher.warm is None
    assert not _warm(launcher, tmp_path / "job")


def test_a_script_that_imports_nothing_starts_warm_too(launcher, tmp_path):
    assert not _warm(launcher, tmp_path / "one", NOTE)
    assert launcher.warm.await_ready(60)
    assert _warm(launcher, tmp_path / "two", NOTE)


def test_what_imports_nothing_leaves_the_libraries_to_others(ready, tmp_path):
    before = ready.warm.process
    loaded = f"{NOTE}\nimport sys as s; print([name for name in ('numpy', 'torch') if name in s.modules])"
    assert _warm(ready, tmp_path / "one", loaded)
    assert text(tmp_path / "one")[-1] == "[]"
    assert _warm(ready, tmp_path / "two")
    assert ready.warm.process == before


def test_libraries_come_to_a_template_without(launcher, tmp_path):
    seen(launcher, a_job(tmp_path / "first", "print(1)"))
    assert launcher.warm.await_ready(60)
    before = launcher.warm.process
    assert _warm(launcher, tmp_path / "one")
    assert launcher.warm.await_ready(60)
    assert launcher.warm.process != before
    assert _warm(launcher, tmp_path / "two")


@pytest.mark.parametrize(
    "script", [f"{HEAD}# pip install", f"{HEAD}import os; os.environ['OMP_NUM_THREADS'] = '1'", "import ("]
)
def test_a_script_that_changes_its_libraries_needs_none(script, tmp_path):
    assert need_of(a_job(tmp_path / "job", script)) is None


@pytest.mark.parametrize("name", ["PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS"])
def test_what_python_does_at_its_start_is_done(name, tmp_path):
    assert need_of(a_job(tmp_path / "job", HEAD, environment={name: "x"})) is None


def test_commands_and_requirements_start_plainly(tmp_path):
    launch = a_job(tmp_path / "job", HEAD)
    host = launch.hosts[0]
    for argv in (
        ("/bin/sh", "-c", "python train.py"),
        ("python", "-m", "train"),
        ("torchrun", "train.py"),
        ("python",),
    ):
        assert need_of(replace(launch, hosts=(replace(host, argv=argv),))) is None
    assert need_of(replace(launch, hosts=(replace(host, requirements=host.folder / "requirements.txt"),))) is None
    assert need_of(launch).modules == {"numpy"}


@pytest.mark.parametrize(
    "files", [{"numpy.py": "x = 1"}, {"sitecustomize.py": "print('mine')"}, {"inspect.py": "x = 1"}]
)
def test_a_module_of_the_job_that_hides_one_that_is_loaded_is_found(ready, files, tmp_path):
    plain = seen(ProcessLauncher(warm=False), a_job(tmp_path / "plain", HEAD, files=files))
    assert seen(ready, a_job(tmp_path / "job", HEAD, files=files)) == plain
    assert not (tmp_path / "job/algo-1/output/frozen").exists() or not was_warm(tmp_path / "job")


def test_another_environment_gets_another_template(ready, tmp_path):
    other = {"MALLOC_ARENA_MAX": "1"}
    assert not _warm(ready, tmp_path / "one", environment=other)
    assert _warm(ready, tmp_path / "as-before")
    for name in ("two", "three"):
        _warm(ready, tmp_path / name, environment=other)
    assert ready.warm.await_ready(60)
    assert _warm(ready, tmp_path / "four", environment=other)
    assert not _warm(ready, tmp_path / "five")


def test_two_kinds_by_turns_leave_the_template_alone(ready, tmp_path):
    before = ready.warm.process
    for number in range(3):
        assert not _warm(ready, tmp_path / f"other-{number}", environment={"OMP_NUM_THREADS": "7"})
        assert _warm(ready, tmp_path / f"same-{number}")
    assert ready.warm.process == before
    assert ready.warm.await_ready(0)


def test_threads_are_nothing_to_a_template_without_libraries(launcher, tmp_path):
    assert not _warm(launcher, tmp_path / "first", NOTE, environment={"OMP_NUM_THREADS": "1"})
    assert launcher.warm.await_ready(60)
    assert _warm(launcher, tmp_path / "second", NOTE, environment={"OMP_NUM_THREADS": "2"})
    assert not _warm(launcher, tmp_path / "third", NOTE, environment={"TZ": "Asia/Tokyo"})


def test_a_script_that_imports_more_gets_it(ready, tmp_path):
    script = f"import PIL.Image\n{HEAD}"
    assert _warm(ready, tmp_path / "one", script)
    assert ready.warm.await_ready(60)
    before = ready.warm.process
    assert _warm(ready, tmp_path / "two", script)
    assert _warm(ready, tmp_path / "three", HEAD)
    assert ready.warm.process == before


def test_new_packages_end_the_template(ready, tmp_path, monkeypatch):
    site = tmp_path / "site"
    (site / "thing-1.0.dist-info").mkdir(parents=True)
    monkeypatch.setattr(ready.warm, "_sites", [*ready.warm._sites, str(site)])
    assert not _warm(ready, tmp_path / "one")
    assert ready.warm.await_ready(60)
    (site / "other-1.0.dist-info").mkdir()
    assert not _warm(ready, tmp_path / "two")


def test_a_killed_template_is_replaced_and_its_jobs_go_on(ready, tmp_path):
    ready.start(a_job(tmp_path / "running", _WAITS))
    await_line(tmp_path / "running", "ready")
    os.kill(ready.warm.process, signal.SIGKILL)
    assert not _warm(ready, tmp_path / "one")
    assert ready.warm.await_ready(60)
    assert _warm(ready, tmp_path / "two")
    (tmp_path / "running/algo-1/code/go").touch()
    assert ended(ready, tmp_path / "running").code == 0
    assert text(tmp_path / "running")[-1] == "went on"
    assert was_warm(tmp_path / "running")


def test_a_template_that_hangs_fails_no_job(ready, tmp_path, caplog):
    ready.warm._answer_s = 0.2
    os.kill(ready.warm.process, signal.SIGSTOP)
    assert not _warm(ready, tmp_path / "one")
    assert "job one starts plainly" in caplog.text
    assert ready.warm.process == 0


def test_a_job_goes_on_whose_owner_is_killed_before_it_hears_of_it(ready, tmp_path):
    """The template takes the job when nobody waits for the answer any more."""
    launch = a_job(tmp_path / "job", HEAD)
    process._write_durably(launch.folder / process.LAUNCH_FILE, process._document(launch, 5))
    os.kill(ready.warm.process, signal.SIGSTOP)
    answer = ready.warm._now.ask(launch.folder)
    os.close(answer._descriptor)
    os.kill(ready.warm.process, signal.SIGCONT)
    until = time.monotonic() + 30
    while not ready.started(launch.folder) and time.monotonic() < until:
        os.sched_yield()
    assert ended(ready, launch.folder).code == 0
    assert was_warm(launch.folder)


def test_a_template_ends_with_its_owner(tmp_path):
    launcher = ProcessLauncher()
    seen(launcher, a_job(tmp_path / "first", HEAD))
    assert launcher.warm.await_ready(60)
    template = os.pidfd_open(launcher.warm.process)
    launcher.start(a_job(tmp_path / "job", _WAITS))
    await_line(tmp_path / "job", "ready")
    del launcher
    assert select.select([template], [], [], 30)[0]
    os.close(template)
    (tmp_path / "job/algo-1/code/go").touch()
    assert ended(ProcessLauncher(), tmp_path / "job").code == 0


_SERVICE = """
import sys, time
from pathlib import Path
from sagehound.jobs.process import ProcessLauncher
from tests.jobs.test_warm_starts import _WAITS
from tests.jobs.warm_jobs import HEAD, a_job, seen
folder, launcher = Path(sys.argv[1]), ProcessLauncher()
seen(launcher, a_job(folder / "first", HEAD))
assert launcher.warm.await_ready(60)
launcher.start(a_job(folder / "job", _WAITS))
print(launcher.warm.process, flush=True)
time.sleep(600)
"""


def test_a_killed_service_takes_its_template_with_it_and_not_its_jobs(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", _SERVICE, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as service:
        template = os.pidfd_open(int(service.stdout.readline()))
        service.kill()
    assert select.select([template], [], [], 30)[0]
    os.close(template)
    await_line(tmp_path / "job", "ready")
    (tmp_path / "job/algo-1/code/go").touch()
    assert ended(ProcessLauncher(), tmp_path / "job").code == 0
    assert was_warm(tmp_path / "job")


def test_jobs_side_by_side_have_a_folder_each(ready, tmp_path):
    script = _WAITS + "\nopen('/opt/ml/model/who', 'w').write(os.environ['WHO'])"
    for name in ("one", "two", "three"):
        ready.start(a_job(tmp_path / name, script, environment={"WHO": name}))
    for name in ("one", "two", "three"):
        await_line(tmp_path / name, "ready")
        (tmp_path / name / "algo-1/code/go").touch()
        assert ended(ready, tmp_path / name).code == 0
        assert (tmp_path / name / "algo-1/model/who").read_text() == name
        assert was_warm(tmp_path / name)


def test_many_jobs_leave_nothing_behind(ready, tmp_path):
    def state():
        pid = ready.warm.process
        return pid, *(len(list(Path(f"/proc/{one}/fd").iterdir())) for one in (pid, "self")), _children(pid)

    assert _warm(ready, tmp_path / "job")
    before = state()
    for number in range(20):
        assert _warm(ready, tmp_path / f"job-{number}")
    until = time.monotonic() + 30
    while state() != before and time.monotonic() < until:
        os.sched_yield()
    assert state() == before


def _children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_an_idle_template_ends(tmp_path):
    launcher = ProcessLauncher()
    launcher.warm._idle_s = 0.1
    seen(launcher, a_job(tmp_path / "first", HEAD))
    launcher.warm.await_ready(60)
    until = time.monotonic() + 30
    while launcher.warm.process and time.monotonic() < until:
        os.sched_yield()
    assert launcher.warm.process == 0


class _AsRealJobs:
    """Launches of the suite, with what makes a template of use to them."""

    def __init__(self, launcher):
        self._launcher = launcher

    def start(self, launch):
        for host in launch.hosts:
            script = host.folder / "code" / "train.py"
            if not script.read_text().endswith("# warm"):
                script.write_text(script.read_text() + "\nif 0: import numpy\n# warm")
        self._launcher.start(launch)

    def __getattr__(self, name):
        return getattr(self._launcher, name)


@pytest.fixture(scope="module")
def numpy_launcher(tmp_path_factory):
    launcher = ProcessLauncher(timeout_grace_s=5)
    folder = tmp_path_factory.mktemp("first")
    launcher.start(make_launch(folder / "job", HEAD))
    ended(launcher, folder / "job")
    assert launcher.warm.await_ready(60)
    yield launcher
    launcher.warm.close()


class TestWarmLauncher(LauncherSuite):
    """The launcher's whole contract, by warm starts."""

    @pytest.fixture
    def launcher(self, numpy_launcher):
        return _AsRealJobs(numpy_launcher)
