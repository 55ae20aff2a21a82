"""Scripts that have no line for the profiler, each in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import sagehound
from sagehound.profile.automatic import install
from tests.profile.trained import facts, loader, net, phases, steps, train

DROPIN = Path(sagehound.__file__).parent / "dropin"
SCRIPT = """
import os, signal, sys, time
import torch
from torch import nn
torch.set_num_threads(1)

class Photos(torch.utils.data.Dataset):
    def __len__(self): return 24
    def __getitem__(self, index): return torch.randn(8), index % 2

def main():
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.Adam(model.parameters())
    loader = torch.utils.data.DataLoader(Photos(), 4, num_workers=1, multiprocessing_context=sys.argv[1])
    for images, labels in loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    if len(sys.argv) > 2:
        time.sleep(1.2)
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    main()
"""


def run(folder: Path, config: object, *arguments: str) -> subprocess.CompletedProcess[str]:
    script, file = folder / "script.py", folder / "profilerconfig.json"
    script.write_text(SCRIPT)
    file.write_text(json.dumps(config))
    environment = {
        **os.environ,
        "PYTHONPATH": str(DROPIN),
        "SAGEHOUND_AUTO_PROFILE": "1",
        "SMPROFILER_CONFIG_PATH": str(file),
        "SM_CURRENT_HOST": "algo-3",
    }
    command = [sys.executable, str(script), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)


def asked(folder: Path, **more: object) -> dict[str, object]:
    return {"ProfilingParameters": {"LocalPath": str(folder / "profiler"), **more}}


def test_a_script_is_profiled_and_its_loader_s_processes_write_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, asked(tmp_path), "spawn")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    written = tmp_path / "profiler"
    assert steps(written) == [f"TRAIN {index}" for index in range(6)]
    assert phases(written, "TRAIN 5") == {"loader": 1, "forward": 1, "backward": 1, "optimizer": 1}
    assert (facts(written)["node"], facts(written)["batch_size"]) == ("algo-3", 4)
    assert len([path for path in written.rglob("*") if path.is_file()]) == 2


def test_what_a_killed_script_had_done_is_there(tmp_path: Path) -> None:
    done = run(tmp_path, asked(tmp_path), "fork", "killed")
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert steps(tmp_path / "profiler") == [f"TRAIN {index}" for index in range(6)]


def test_a_request_that_cannot_be_met_is_said_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "profilerconfig.json"
    file.write_text(json.dumps(asked(tmp_path, DetailedProfilingConfig='{"StartStep": "soon", }')))
    assert install(str(file)) is None
    assert capsys.readouterr().err == (
        "sagehound.profile: the training is not profiled: DetailedProfilingConfig: StartStep is 'soon': a whole number "
        "of at least 0 is expected\n"
    )


def test_a_request_that_changes_while_the_training_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, written = tmp_path / "profilerconfig.json", tmp_path / "profiler"

    def ask(text: str) -> None:
        (tmp_path / "draft").write_text(text)
        (tmp_path / "draft").replace(file)

    ask(json.dumps({"DisableProfiler": True, **asked(tmp_path)}))
    profiler = install(str(file))
    assert profiler is not None
    train(net(), loader(3))
    profiler.timeline.flush()
    assert not written.exists()
    ask(json.dumps(asked(tmp_path, DetailedProfilingConfig='{"NumSteps": 2, }')))
    profiler.timeline.flush()
    ask("{")
    profiler.timeline.flush()
    train(net(), loader(4))
    profiler.close()
    assert steps(written) == ["TRAIN 3", "TRAIN 4", "TRAIN 5", "TRAIN 6"]
    assert len(list(written.rglob("detailed_profiling/*/000000003/*.trace.json"))) == 1
    assert "the profile goes on as it was" in capsys.readouterr().err


def test_a_window_asked_for_while_the_training_runs_counts_from_there(tmp_path: Path) -> None:
    file = tmp_path / "profilerconfig.json"

    def ask(**more: object) -> None:
        (tmp_path / "draft").write_text(json.dumps({**asked(tmp_path, **more)}))
        (tmp_path / "draft").replace(file)

    ask()
    profiler = install(str(file))
    assert profiler is not None
    train(net(), loader(3))
    # The SDK writes StartStep 0 for FrameworkProfile(num_steps=2).
    ask(DetailedProfilingConfig='{"StartStep": 0, "NumSteps": 2, }')
    profiler.timeline.flush()
    train(net(), loader(3))
    ask(DetailedProfilingConfig='{"StartStep": 0, "NumSteps": 2, }', DataloaderProfilingConfig='{"NumSteps": 1, }')
    profiler.timeline.flush()
    train(net(), loader(3))
    profiler.close()
    traces = (tmp_path / "profiler").rglob("detailed_profiling/*/*/*.trace.json")
    assert [trace.parent.name for trace in traces] == ["000000003"]


def test_a_python_profiler_that_is_not_installed_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyinstrument", None)
    file = tmp_path / "profilerconfig.json"
    file.write_text(
        json.dumps(asked(tmp_path, PythonProfilingConfig='{"StartStep": 0, "ProfilerName": "pyinstrument", }'))
    )
    profiler = install(str(file))
    assert profiler is not None and install(str(file)) is profiler
    profiler.close()
    assert "pyinstrument, which is not installed" in capsys.readouterr().err
