"""Trainings that register no hook."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from torch.nn.functional import cross_entropy

from sagehound.debug.automatic import install, install_with
from sagehound.debug.config.hook_config import HookConfig
from sagehound.debug.config.save_config import SaveConfig
from sagehound.debug.hook import Hook
from sagehound.debug.modes import modes
from sagehound.debug.recording.current import current_hook, set_current_hook
from sagehound.debug.singleton import get_hook
from tests.debug.hooked import Net, batch, opened, train, trial


@pytest.fixture(autouse=True)
def _no_hook_left() -> Iterator[None]:
    set_current_hook(None)
    yield
    hook = current_hook()
    if hook is not None:
        hook._release()
        hook.close()
    set_current_hook(None)


def _config(folder: Path, *collections: str, **more: object) -> HookConfig:
    return HookConfig(
        out_dir=str(folder),
        save_config=SaveConfig(save_interval=1),
        include_collections=collections,
        **more,  # type: ignore[arg-type]
    )


def test_a_script_with_a_functional_loss(tmp_path: Path) -> None:
    hook = install_with(_config(tmp_path / "t", "weights", "gradients"))
    losses = train(Net(), 3, cross_entropy)
    found = trial(hook)
    assert found.steps(modes.TRAIN) == [0, 1, 2]
    assert [float(v) for v in found.tensor("CrossEntropyLoss_output_0").values(modes.TRAIN).values()] == losses
    assert found.tensor("gradient/Net_fc.weight").steps(modes.TRAIN) == [0, 1, 2]
    assert found.model.root == "Net"


def test_modes_follow_the_model_and_its_gradients(tmp_path: Path) -> None:
    hook = install_with(_config(tmp_path / "t"))
    model, loss = Net(), nn.CrossEntropyLoss()
    for _ in range(2):
        model.train()
        train(model, 3, loss)
        model.eval()
        with torch.no_grad():
            for step in range(2):
                loss(model(batch(step)[0]), batch(step)[1])
    found = trial(hook)
    assert found.steps(modes.TRAIN) == [0, 1, 2, 3, 4, 5]
    assert found.steps(modes.EVAL) == [0, 1, 2, 3]
    assert "CrossEntropyLoss_output_1" not in found.tensor_names()


def test_dropout_left_on_in_evaluation_is_noticed(tmp_path: Path) -> None:
    hook = install_with(_config(tmp_path / "t"))
    model, loss = Net(), nn.CrossEntropyLoss()
    train(model, 1, loss)
    with torch.no_grad():
        loss(model(batch(9)[0]), batch(9)[1])
    found = trial(hook)
    facts = found.facts(found.global_step(modes.EVAL, 0))
    assert facts.training is True and facts.grad_enabled is False and facts.dropouts_training == 1


def test_a_frozen_backbone_and_its_head_are_one_step(tmp_path: Path) -> None:
    class Backbone(Net):
        pass

    class Head(nn.Linear):
        pass

    hook = install_with(_config(tmp_path / "t", save_all=True))
    backbone, head = Backbone().requires_grad_(False).eval(), Head(5, 5)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
    for step in range(3):
        with torch.no_grad():
            features = backbone(batch(step)[0])
        loss = F.cross_entropy(head(features), batch(step)[1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = trial(hook)
    assert found.steps(modes.TRAIN) == [0, 1, 2]
    assert {"Backbone_conv.weight", "Head_weight", "gradient/Head_weight"} <= set(found.tensor_names(step=1))
    assert "gradient/Backbone_conv.weight" not in found.tensor_names()
    assert found.facts(1).training is True


def test_a_loss_module_of_the_scripts_own(tmp_path: Path) -> None:
    class FocalLoss(nn.Module):
        def forward(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            each = F.cross_entropy(logits, labels, reduction="none")
            return (each * (1 - torch.exp(-each)) ** 2).mean()

    hook = install_with(_config(tmp_path / "t"))
    losses = train(Net(), 2, FocalLoss())
    found = trial(hook)
    assert [float(v) for v in found.tensor("FocalLoss_output_0").values(modes.TRAIN).values()] == losses
    # The first was computed by the time that the loss was known for one; its function is not a loss of its own.
    assert "CrossEntropyLoss_output_0" not in found.tensor_names()


def test_another_model_after_the_first(tmp_path: Path) -> None:
    hook = install_with(_config(tmp_path / "t", "weights"))
    first, second = Net(), Net()
    train(first, 3, nn.CrossEntropyLoss())
    train(second, 4, nn.CrossEntropyLoss())
    weight = second.fc.weight.detach().clone()
    second(batch(0)[0])
    found = trial(hook)
    last = found.steps()[-1]
    assert found.tensor("Net_fc.weight").value(last).tolist() == weight.tolist()
    assert "Net_1_fc.weight" not in found.tensor_names()


def test_a_teacher_is_not_what_is_trained(tmp_path: Path) -> None:
    class Teacher(Net):
        pass

    hook = install_with(_config(tmp_path / "t", "weights"))
    teacher, student = Teacher(), Net()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
    for step in range(8):
        wanted = teacher(batch(step)[0]).detach()
        loss = F.mse_loss(student(batch(step)[0]), wanted)
        loss.backward()
        optimizer.step()
    found = trial(hook)
    last = found.steps()[-1]
    assert "Net_fc.weight" in found.tensor_names(step=last)
    assert "Teacher_fc.weight" not in found.tensor_names(step=last)


def test_a_script_that_asks_for_its_hook_gets_this_one(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"LocalPath": str(tmp_path / "t"), "HookParameters": {"save_interval": "1"}}))
    made = install(str(file))
    assert made is not None
    assert get_hook() is made
    assert Hook.create_from_json_file(str(file)) is made
    model, other = Net(), Net()
    made.register_module(model)
    train(other, 1, nn.CrossEntropyLoss())
    train(model, 2, nn.CrossEntropyLoss())
    found = trial(made)
    assert found.modes() == [modes.GLOBAL]
    assert found.steps() == [0, 1]


def test_a_hook_that_the_script_makes_takes_its_place(tmp_path: Path) -> None:
    install_with(_config(tmp_path / "t"))
    model = Net()
    train(model, 2, nn.CrossEntropyLoss())
    hook = Hook(tmp_path / "t", save_config=SaveConfig(save_interval=1))
    hook.register_module(model)
    train(model, 2, nn.CrossEntropyLoss())
    found = trial(hook)
    assert found.steps() == [0, 1, 2, 3]
    assert found.steps(modes.TRAIN) == [0, 1]


def test_what_cannot_be_done_is_said_and_changes_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert install(str(tmp_path / "missing.json")) is None
    assert "nothing is saved" in capfd.readouterr().err
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "old").touch()
    install_with(_config(tmp_path / "t"))
    train(Net(), 2, nn.CrossEntropyLoss())
    said = capfd.readouterr().err
    assert said.count("\n") == 1 and "'old'" in said


def test_a_process_that_trains_nothing_leaves_nothing(tmp_path: Path) -> None:
    hook = install_with(_config(tmp_path / "t"))
    with torch.no_grad():
        Net()(batch(0)[0])
    hook.close()
    assert not (tmp_path / "t").exists()
    assert opened(tmp_path / "t").tensor_names() == []
