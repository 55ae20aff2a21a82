"""Real trainings under the profiler."""

import copy
import pickle
import pstats
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.dataloader import _BaseDataLoaderIter

from sagehound.debug.automatic import install_with
from sagehound.debug.config.hook_config import HookConfig
from sagehound.debug.config.save_config import SaveConfig
from sagehound.debug.create_trial import create_trial
from sagehound.debug.modes import modes
from sagehound.debug.recording.current import set_current_hook
from sagehound.profile.config import DataloaderProfiling, PythonProfiling
from sagehound.profile.operators import read_operators
from sagehound.profile.window import Window
from tests.profile.trained import evaluate, events, facts, loader, net, phases, profiled, steps, train

WHOLE = {"loader": 1, "forward": 1, "backward": 1, "optimizer": 1}


def test_every_step_has_its_phases_and_modes_count_apart(tmp_path: Path) -> None:
    model = net()
    with profiled(tmp_path):
        for _ in range(2):
            train(model, loader(3))
            evaluate(model, loader(2))
    first = ["TRAIN 0", "TRAIN 1", "TRAIN 2", "EVAL 0", "EVAL 1"]
    assert steps(tmp_path) == [*first, "TRAIN 3", "TRAIN 4", "TRAIN 5", "EVAL 2", "EVAL 3"]
    assert all(phases(tmp_path, f"TRAIN {index}") == WHOLE for index in range(6))
    assert all(phases(tmp_path, f"EVAL {index}") == {"loader": 1, "forward": 1} for index in range(4))


def test_phases_and_what_is_between_them_make_up_the_step(tmp_path: Path) -> None:
    with profiled(tmp_path):
        train(net(), loader(6))
    found = events(tmp_path)
    for step in (event for event in found if event["cat"] == "step"):
        own = [e for e in found if e["cat"] == "phase" and e["args"] == step["args"]]
        assert all(step["ts"] <= e["ts"] and e["ts"] + e["dur"] <= step["ts"] + step["dur"] for e in own)
        missing = step["dur"] - sum(e["dur"] for e in own)
        assert 0 <= missing <= 0.01 * step["dur"] * (len(own) + 1) + len(own)


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    before = (torch.autograd.backward, nn.Module.compile, _BaseDataLoaderIter.__next__, DataLoader.__iter__)
    model = net()
    with profiled(tmp_path):
        train(model, loader())
        assert torch.autograd.backward is not before[0]
    assert (torch.autograd.backward, nn.Module.compile, _BaseDataLoaderIter.__next__, DataLoader.__iter__) == before
    assert not model._forward_hooks and not model._forward_pre_hooks
    written = steps(tmp_path)
    train(model, loader())
    assert steps(tmp_path) == written


def test_an_exception_in_a_forward_reaches_the_script_and_the_next_step_is_timed(tmp_path: Path) -> None:
    class Fragile(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.calls = net(), 0

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            if self.calls == 2:
                raise ValueError("a broken photo")
            output: torch.Tensor = self.body(inputs)
            return output

    model = Fragile()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with profiled(tmp_path):
        failed = 0
        for batch in loader(4):
            try:
                train(model, [batch], optimizer)
            except ValueError:
                failed += 1
    assert failed == 1 and steps(tmp_path) == [f"TRAIN {index}" for index in range(4)]
    assert phases(tmp_path, "TRAIN 1") == {"loader": 1, "forward": 1}
    assert phases(tmp_path, "TRAIN 3") == WHOLE


def test_a_gan_takes_one_step_a_batch(tmp_path: Path) -> None:
    one, two = nn.Linear(8, 8), nn.Linear(8, 1)
    first, second = torch.optim.Adam(one.parameters()), torch.optim.Adam(two.parameters())
    with profiled(tmp_path):
        for inputs, _ in loader(5):
            second.zero_grad()
            (two(inputs).mean() - two(one(torch.randn(4, 8)).detach()).mean()).backward()
            second.step()
            first.zero_grad()
            two(one(torch.randn(4, 8))).mean().backward()
            first.step()
    assert steps(tmp_path) == [f"TRAIN {index}" for index in range(5)]
    assert phases(tmp_path, "TRAIN 4") == {"loader": 1, "forward": 5, "backward": 2, "optimizer": 2}


def test_gradients_that_are_gathered_over_batches(tmp_path: Path) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with profiled(tmp_path):
        for index, (inputs, _) in enumerate(loader(4)):
            model(inputs).sum().backward()
            if index % 2:
                optimizer.step()
    assert [phases(tmp_path, f"TRAIN {index}")["optimizer"] for index in range(4)] == [0, 1, 0, 1]


def test_a_closure_s_forward_and_backward_are_not_the_optimizer_s(tmp_path: Path) -> None:
    model = net()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=2)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss: torch.Tensor = model(torch.randn(4, 8)).pow(2).sum()
        loss.backward()
        return loss

    with profiled(tmp_path) as profiler:
        for _ in range(2):
            with profiler.pacing.explicitly(None):
                profiler.pacing.begin(0)
                optimizer.step(closure)
    found = [event for event in events(tmp_path) if event["cat"] == "phase"]
    assert {"forward", "backward", "optimizer"} <= {event["name"] for event in found}
    ordered = sorted((event["ts"], event["ts"] + event["dur"]) for event in found)
    assert all(end <= start for (_, end), (start, _) in pairwise(ordered))


def test_a_model_can_still_be_copied_and_pickled(tmp_path: Path) -> None:
    model = net()
    with profiled(tmp_path):
        train(model, loader())
        twins = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
        for twin in twins:
            train(twin, loader(1))
    assert steps(tmp_path)[-1] == "TRAIN 5"


def test_processes_of_a_loader_write_nothing(tmp_path: Path) -> None:
    with profiled(tmp_path):
        train(net(), loader(4, num_workers=1))
    assert len(list(tmp_path.rglob("*timeline.json"))) == 1
    assert steps(tmp_path) == [f"TRAIN {index}" for index in range(4)]
    assert facts(tmp_path)["loader_workers"] == 1


@pytest.mark.parametrize("in_place", [False, True])
def test_a_compiled_model(tmp_path: Path, in_place: bool) -> None:
    model = net()
    with profiled(tmp_path):
        if in_place:
            model.compile(backend="eager")
            train(model, loader(4))
        else:
            train(torch.compile(model, backend="eager"), loader(4))  # type: ignore[arg-type]
    assert [phases(tmp_path, f"TRAIN {index}") for index in range(4)] == [WHOLE] * 4
    assert facts(tmp_path)["compiled"] == 1


def test_a_step_that_is_compiled_whole(tmp_path: Path) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    @torch.compile(backend="eager")
    def step(inputs: torch.Tensor) -> torch.Tensor:
        return model(inputs).sum()  # type: ignore[no-any-return]

    with profiled(tmp_path):
        for inputs, _ in loader(4):
            step(inputs).backward()
            optimizer.step()
            optimizer.zero_grad()
    assert steps(tmp_path) == [f"TRAIN {index}" for index in range(4)]
    assert phases(tmp_path, "TRAIN 3") == {"loader": 1, "backward": 1, "optimizer": 1}


def test_facts_of_a_frozen_network_that_trains_in_eval_mode(tmp_path: Path) -> None:
    model = net().eval()
    optimizer = torch.optim.SGD(model[-1].parameters(), lr=0.1)  # type: ignore[union-attr]
    with profiled(tmp_path):
        for inputs, labels in loader(4):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
        evaluate(model, DataLoader(TensorDataset(torch.randn(90, 8), torch.zeros(90)), batch_size=9))
    found = facts(tmp_path)
    assert (found["loader_workers"], found["batch_size"], found["input_shape"]) == (0, 4, "4x8")


def test_facts_of_the_training(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 2))
    images = torch.randn(8, 3, 8, 8).to(memory_format=torch.channels_last)
    with profiled(tmp_path), torch.autocast("cpu", dtype=torch.bfloat16):
        for _ in loader(1, shuffle=True):
            model(images).sum().backward()
    found = facts(tmp_path)
    wanted = {
        "device": "cpu",
        "autocast": "bfloat16",
        "memory_format": "channels_last",
        "input_dtype": "float32",
        "input_shape": "8x3x8x8",
        "parameters": 402,
        "convolutions": 1,
        "compiled": 0,
        "batch_size": 4,
        "loader_workers": 0,
        "loader_pin_memory": 0,
        "torch_threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    assert {name: found.get(name) for name in wanted} == wanted


def test_windows_of_operators_and_python_functions(tmp_path: Path) -> None:
    with profiled(
        tmp_path,
        detailed=Window(1, 2),
        memory=True,
        dataloader=DataloaderProfiling(Window(0, 2)),
        python=PythonProfiling(Window(4, 2), timer="default"),
    ):
        train(net(), loader(8))
    [summary] = tmp_path.rglob("framework/pytorch/detailed_profiling/*/000000001/*-algo-1.operators.json")
    rows = {str(row["name"]): row for row in read_operators(summary.read_bytes())}
    assert rows["aten::addmm"]["calls"] == 4 and float(rows["aten::addmm"]["allocated_bytes"]) > 0
    assert "trained.py" in str(rows["aten::addmm"]["stack"])
    assert len(list(summary.parent.glob("*.trace.json"))) == 1
    stats = sorted(tmp_path.rglob("framework/pytorch/cprofile/*-algo-1/train-*/python_stats"))
    assert [path.parent.name.split("-")[1] for path in stats] == ["4", "5"]
    assert any(name == "backward" for _, _, name in pstats.Stats(str(stats[0])).stats)  # type: ignore[attr-defined]
    windows = {e["name"]: e["args"]["step_num"] for e in events(tmp_path) if e["cat"] == "window"}
    assert windows == {"detailed": "1", "dataloader": "0", "python": "4"}
    assert steps(tmp_path) == [f"TRAIN {index}" for index in range(8)]


def test_a_profiler_that_the_script_runs_itself_keeps_running(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as own,
        profiled(tmp_path, detailed=Window(0, 2)),
    ):
        train(net(), loader(4))
    assert len(own.events()) > 0
    assert "the script runs torch.profiler itself" in capsys.readouterr().err
    assert steps(tmp_path) == [f"TRAIN {index}" for index in range(4)]


def test_a_folder_that_cannot_be_written_is_named_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    with profiled(tmp_path / "file") as profiler:
        train(net(), loader(3))
        profiler.timeline.flush()
        train(net(), loader(3))
    assert capsys.readouterr().err.count("the timeline ends here") == 1


def test_the_debugger_s_hook_beside_it(tmp_path: Path) -> None:
    config = HookConfig(out_dir=str(tmp_path / "tensors"), save_config=SaveConfig(save_interval=2))
    model = net()
    with profiled(tmp_path / "profile"):
        hook = install_with(config)
        train(model, loader(4))
        evaluate(model, loader(1))
        hook._release()
        hook.close()
        set_current_hook(None)
    assert steps(tmp_path / "profile") == ["TRAIN 0", "TRAIN 1", "TRAIN 2", "TRAIN 3", "EVAL 0"]
    assert phases(tmp_path / "profile", "TRAIN 2") == WHOLE
    assert create_trial(str(tmp_path / "tensors")).steps(modes.TRAIN) == [0, 2]


def test_mixed_precision_and_several_forwards(tmp_path: Path) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    scaler = torch.amp.GradScaler("cpu")
    with profiled(tmp_path):
        for inputs, _ in loader(3):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = (model(inputs) + model(inputs)).sum()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
    assert phases(tmp_path, "TRAIN 2") == {"loader": 1, "forward": 2, "backward": 1, "optimizer": 1}
    assert facts(tmp_path)["autocast"] == "bfloat16"
