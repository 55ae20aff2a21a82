"""What a job's machine did, sampled beside it."""

import asyncio
import ctypes
import json
import os
import subprocess
import sys
import time

import pytest

from sagehound.jobs import sampler, sampling
from sagehound.jobs.contract import launch
from sagehound.jobs.gpus import Gpus
from sagehound.jobs.job_processes import JobProcesses
from sagehound.jobs.logs import read_lines
from sagehound.jobs.machine import Machine
from sagehound.jobs.process import ProcessLauncher
from sagehound.jobs.samples import SampleFile
from tests.jobs.jobs import job, staged

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def samples_in(folder):
    """Every sample under a folder, in the order of the files."""
    paths = sorted(folder.rglob("*.json"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def of(samples, dimension, name):
    return [each["Value"] for each in samples if (each["Dimension"], each["Name"]) == (dimension, name)]


def run(tmp_path, script, interval_ms):
    """The folder of a job that ran `script`, and its end."""
    launcher = ProcessLauncher()
    ready = launch(job(profiler_interval_ms=interval_ms), staged(tmp_path, {"train.py": script}))
    launcher.start(ready)
    return ready.folder, asyncio.run(launcher.wait(ready.folder))


def test_a_job_is_sampled_with_its_children(tmp_path):
    burn = "import time\nend = time.time() + 0.6\nwhile time.time() < end: pass\n"
    script = f"import subprocess, sys\nheld = b'x' * (300 << 20)\nsubprocess.run([sys.executable, '-c', {burn!r}])\n"
    folder, ended = run(tmp_path, script, 100)
    assert ended.code == 0
    found = samples_in(folder / "profiler" / "algo-1")
    (path, *_) = (folder / "profiler" / "algo-1" / "system" / "incremental").rglob("*.json")
    minute = int(path.name.split(".")[0])
    assert path.name == f"{minute}.algo-1.json"
    assert path.parent.name == time.strftime("%Y%m%d%H%M", time.gmtime(minute))
    assert minute <= found[0]["Timestamp"] < minute + 60
    assert {each["NodeId"] for each in found} == {"algo-1"}
    # The child burns a core, or what other programs leave of one.
    assert max(of(found, "CPUUtilization", "job")) > 5 / os.cpu_count()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert max(of(found, "MemoryUsedPercent", "job")) > 100 * (300 << 20) / memory
    for core in range(os.cpu_count()):
        assert all(0 <= value <= 100 for value in of(found, "CPUUtilization", f"cpu{core}"))
    assert of(found, "I/OWaitPercentage", "machine")
    assert of(found, "MemoryUsedPercent", "machine")


def test_a_job_that_is_not_to_be_sampled_leaves_nothing(tmp_path):
    folder, ended = run(tmp_path, "print('ok')", 0)
    assert ended.code == 0
    assert not (folder / "profiler").exists()


def test_sampling_that_fails_ends_itself_and_not_the_job(tmp_path):
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "profiler").write_text("in the way")
    folder, ended = run(tmp_path, "import time; time.sleep(0.4); print('trained')", 100)
    assert ended.code == 0
    said = [line.text for line in read_lines(folder, "algo-1")[0]]
    assert [line for line in said if "not sampled any more: NotADirectoryError" in line]
    assert "trained" in said


def test_an_interval_that_changes_while_the_job_runs(tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    sampling.tell(str(folder), 60000)
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            sampling.tell(str(folder), 100)

    host = {"name": "algo-1", "environment": {}}
    sampler.sample(str(folder), [host], [os.getpid()], sleep=sleep, rounds=2)
    times = sorted({each["Timestamp"] for each in samples_in(folder / "profiler")})
    assert len(times) == 2
    assert times[1] - times[0] < 30
    sampling.tell(str(folder), 0)
    sampler.sample(str(folder), [host], [os.getpid()], sleep=slept.append, rounds=2)
    assert len({each["Timestamp"] for each in samples_in(folder / "profiler")}) == 2


def test_a_full_disk_leaves_whole_lines(tmp_path, monkeypatch):
    file = SampleFile(str(tmp_path), "algo-1")
    file.write([("cpu", "cpu0", "CPUUtilization", 1.0)], 120.0)
    write = os.write
    monkeypatch.setattr("sagehound.jobs.samples.os.write", lambda fd, data: write(fd, data[:20]))
    with pytest.raises(OSError, match="no space left"):
        file.write([("cpu", "cpu0", "CPUUtilization", 2.0)], 121.0)
    file.close()
    assert of(samples_in(tmp_path), "CPUUtilization", "cpu0") == [1.0]


def test_rates_are_what_changed_between_two_readings(tmp_path):
    def write(busy, idle, waited, received, sectors):
        (tmp_path / "stat").write_text(
            f"cpu  {busy} 0 0 {idle} {waited} 0 0 0 0 0\ncpu0 {busy} 0 0 {idle} {waited} 0 0 0\nintr 1\n"
        )
        (tmp_path / "meminfo").write_text("MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 250 kB\n")
        head = "Inter-|\n face |\n"
        line = f"  eth0: {received} 1 0 0 0 0 0 0 {received * 2} 1 0 0 0 0 0 0\n    lo: 9999 1 0 0 0 0 0 0 9999 1 0 0\n"
        (tmp_path / "net" / "dev").write_text(head + line)

    (tmp_path / "net").mkdir()
    write(100, 100, 0, 1000, 0)
    times = iter([10.0, 12.0])
    machine = Machine(str(tmp_path), clock=lambda: next(times))
    write(130, 160, 10, 5000, 0)
    found = {(name, dimension): value for _, name, dimension, value in machine.samples()}
    assert found == {
        ("machine", "I/OWaitPercentage"): 10.0,
        ("cpu0", "CPUUtilization"): 30.0,
        ("machine", "MemoryUsedPercent"): 75.0,
        ("machine", "NetworkReceivedBytesPerSecond"): 2000.0,
        ("machine", "NetworkTransmitBytesPerSecond"): 4000.0,
    }


def test_processes_that_are_gone_are_left_out():
    child = subprocess.Popen(["sleep", "30"])
    processes = JobProcesses(os.getpid(), 1, 1 << 30)
    assert {name: value for _, _, name, value in processes.samples()}["MemoryUsedPercent"] > 0
    child.kill()
    child.wait()
    assert list(JobProcesses(child.pid, 1, 1 << 30).samples()) == []


class Nvml:
    """A driver's library with one device; it does not know its power."""

    def __getattr__(self, name):
        return lambda *_: 3

    def nvmlInit_v2(self):  # noqa: N802
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, number, device):  # noqa: N802
        device._obj.value = 7
        return 0 if number == 1 else 2

    def nvmlDeviceGetUtilizationRates(self, device, rates):  # noqa: N802
        rates._obj.gpu = 42
        return 0

    def nvmlDeviceGetMemoryInfo(self, device, memory):  # noqa: N802
        memory._obj.total, memory._obj.used = 1000, 250
        return 0


def test_gpus_are_named_as_the_script_counts_them():
    assert list(Gpus(["1", "9"], load=lambda _: Nvml()).samples()) == [
        ("gpu", "gpu0", "GPUUtilization", 42),
        ("gpu", "gpu0", "GPUMemoryUtilization", 25.0),
    ]


def test_a_machine_without_a_driver_has_no_gpus():
    def load(name):
        raise OSError(name)

    assert list(Gpus(["0"], load=load).samples()) == []
    assert list(Gpus([], load=ctypes.CDLL).samples()) == []
