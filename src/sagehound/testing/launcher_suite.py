"""What every `Launcher` must do: inherit `LauncherSuite` in a test module and give it a fixture `launcher`."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from sagehound.errors import NotFound
from sagehound.jobs.launcher import Exit, Host, Launch, Launcher
from sagehound.jobs.logs import hosts, log_path, read_lines
from sagehound.jobs.metrics import final
from sagehound.records.training import MetricDefinition

_DEADLINE_S = 60.0


def make_launch(
    folder: Path, script: str, *, hosts: int = 1, max_runtime_s: float = 60, metrics: dict[str, str] | None = None
) -> Launch:
    """A launch of `script` (Python) on so many hosts; each sees its own name as `HOST`."""
    return Launch(
        job=folder.name,
        folder=folder,
        hosts=tuple(_host(folder / f"algo-{number}", script) for number in range(1, hosts + 1)),
        max_runtime_s=max_runtime_s,
        metrics=tuple(MetricDefinition(name=name, regex=regex) for name, regex in (metrics or {}).items()),
        environments_folder=folder.parent / "environments",
    )


def ended(launcher: Launcher, folder: Path) -> Exit:
    """How the job ended; TimeoutError where it does not within a minute."""
    return asyncio.run(asyncio.wait_for(launcher.wait(folder), _DEADLINE_S))


def text(folder: Path, host: str = "algo-1") -> list[str]:
    """The lines of a host's log."""
    return [line.text for line in read_lines(folder, host)[0]]


def await_line(folder: Path, wanted: str, host: str = "algo-1") -> None:
    """Until `wanted` is a line of the log."""
    deadline = time.monotonic() + _DEADLINE_S
    while not log_path(folder, host).exists() or wanted not in text(folder, host):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{wanted!r} did not appear in the log of {host}: {hosts(folder)}")
        time.sleep(0.01)


def _host(folder: Path, script: str) -> Host:
    for name in ("code", "model", "output/data", "input/config", "input/data"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "code" / "train.py").write_text(script)
    return Host(
        name=folder.name,
        folder=folder,
        environment={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", "HOST": folder.name},
        argv=(sys.executable, "train.py"),
    )


_SLOW_END = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("asked to end"), sys.exit(0)))
open("../model/weights", "w").write("kept")
print("ready")
time.sleep(600)
"""
_DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready")
time.sleep(600)
"""


class LauncherSuite:
    """The contract in `jobs/launcher.py`, clause by clause."""

    def test_runs_a_script_and_packs_its_model(self, launcher: Launcher, tmp_path: Path) -> None:
        script = "print('first'); open('../model/weights', 'w').write('w' * 1000); print('last')"
        launcher.start(make_launch(tmp_path / "job", script))
        end = ended(launcher, tmp_path / "job")
        assert (end.code, end.cause, end.reason) == (0, "exited", "")
        assert end.artifacts["model"].is_file()
        assert text(tmp_path / "job") == ["first", "last"]
        assert end.started_at is not None
        assert end.started_at <= end.ended_at

    def test_both_streams_are_in_order(self, launcher: Launcher, tmp_path: Path) -> None:
        script = "import sys\nfor n in range(50):\n print(n, file=(sys.stdout, sys.stderr)[n % 2])"
        launcher.start(make_launch(tmp_path / "job", script))
        ended(launcher, tmp_path / "job")
        assert text(tmp_path / "job") == [str(n) for n in range(50)]

    def test_reads_metrics(self, launcher: Launcher, tmp_path: Path) -> None:
        launch = make_launch(
            tmp_path / "job", "print('loss: 0.5'); print('loss: 0.25')", metrics={"l": r"loss: ([\d.]+)"}
        )
        launcher.start(launch)
        ended(launcher, tmp_path / "job")
        assert [(metric.name, metric.value) for metric in final(tmp_path / "job")] == [("l", 0.25)]

    def test_a_job_is_never_started_twice(self, launcher: Launcher, tmp_path: Path) -> None:
        launch = make_launch(tmp_path / "job", "print('ran')")
        assert not launcher.started(launch.folder)
        launcher.start(launch)
        launcher.start(launch)
        assert launcher.started(launch.folder)
        ended(launcher, launch.folder)
        launcher.start(launch)
        ended(launcher, launch.folder)
        assert text(launch.folder) == ["ran"]

    def test_a_forgotten_job_may_be_started_once_more(self, launcher: Launcher, tmp_path: Path) -> None:
        launch = make_launch(tmp_path / "job", "print('ran')")
        for _ in range(2):
            launcher.start(launch)
            assert ended(launcher, launch.folder).code == 0
            launcher.forget(launch.folder)
            assert not launcher.started(launch.folder)
        assert text(launch.folder) == ["ran", "ran"]

    def test_waiting_for_an_unknown_job_is_refused(self, launcher: Launcher, tmp_path: Path) -> None:
        try:
            ended(launcher, tmp_path / "nothing")
        except NotFound:
            return
        raise AssertionError("waiting for a job that was never started must raise NotFound")

    def test_a_failure_names_exception_file_and_line(self, launcher: Launcher, tmp_path: Path) -> None:
        script = "print('going')\nopen('../model/weights', 'w').write('half')\nraise ValueError('no such class')"
        launcher.start(make_launch(tmp_path / "job", script))
        end = ended(launcher, tmp_path / "job")
        assert end.code == 1
        assert end.cause == "exited"
        assert "ValueError: no such class\nat train.py, line 3" in end.reason
        assert "going" in end.reason
        assert "model" not in end.artifacts

    def test_stop_asks_first(self, launcher: Launcher, tmp_path: Path) -> None:
        launcher.start(make_launch(tmp_path / "job", _SLOW_END))
        await_line(tmp_path / "job", "ready")
        launcher.stop(tmp_path / "job")
        launcher.stop(tmp_path / "job")
        end = ended(launcher, tmp_path / "job")
        assert (end.code, end.cause, end.reason) == (0, "stopped", "")
        assert text(tmp_path / "job")[-1] == "asked to end"
        assert "model" in end.artifacts

    def test_stop_kills_after_its_grace(self, launcher: Launcher, tmp_path: Path) -> None:
        launcher.start(make_launch(tmp_path / "job", _DEAF))
        await_line(tmp_path / "job", "ready")
        launcher.stop(tmp_path / "job", grace_s=0.1)
        end = ended(launcher, tmp_path / "job")
        assert (end.code, end.cause) == (-9, "stopped")

    def test_stop_before_the_start_holds(self, launcher: Launcher, tmp_path: Path) -> None:
        launch = make_launch(tmp_path / "job", "print('ran')")
        launcher.stop(launch.folder)
        launcher.start(launch)
        end = ended(launcher, launch.folder)
        assert end.cause == "stopped"
        assert text(launch.folder) == []

    def test_a_job_over_its_time_is_ended(self, launcher: Launcher, tmp_path: Path) -> None:
        launcher.start(make_launch(tmp_path / "job", _SLOW_END, max_runtime_s=1))
        end = ended(launcher, tmp_path / "job")
        assert end.cause == "timed_out"
        assert any("MaxRuntimeInSeconds" in line for line in text(tmp_path / "job"))

    def test_a_failing_host_ends_the_others(self, launcher: Launcher, tmp_path: Path) -> None:
        script = f"import os\nif os.environ['HOST'] == 'algo-2': raise RuntimeError('lost my data')\n{_SLOW_END}"
        launcher.start(make_launch(tmp_path / "job", script, hosts=3))
        end = ended(launcher, tmp_path / "job")
        assert end.code == 1
        assert "algo-2" in end.reason
        assert "RuntimeError: lost my data" in end.reason
        assert any("algo-2 failed" in line for line in text(tmp_path / "job", "algo-1"))

    def test_what_a_script_leaves_running_ends_with_it(self, launcher: Launcher, tmp_path: Path) -> None:
        script = """
import subprocess, sys
sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(sleeper.pid)
"""
        launcher.start(make_launch(tmp_path / "job", script))
        ended(launcher, tmp_path / "job")
        assert not Path(f"/proc/{text(tmp_path / 'job')[0]}").exists()
