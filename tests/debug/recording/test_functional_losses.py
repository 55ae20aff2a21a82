"""Losses that are functions, however scripts come by them."""

import copy
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from torch.nn.functional import cross_entropy as imported_before

from sagehound.debug.config.save_config import SaveConfig
from sagehound.debug.hook import Hook
from sagehound.debug.recording.current import set_current_hook
from sagehound.debug.recording.functional_losses import MODULES, listen, stop_listening
from sagehound.debug.recording.step_facts import made_by
from sagehound.debug.rules.labels import Labels
from tests.debug.hooked import Net, train, trial

Heard = list[tuple[str, tuple[Any, ...], torch.Tensor | None]]


@pytest.fixture
def heard() -> Iterator[Heard]:
    """The losses that were computed."""
    found: Heard = []

    def hear(name: str, args: tuple[Any, ...], out: torch.Tensor | None) -> None:
        found.append((name, args, out))

    listen(hear)
    yield found
    stop_listening(hear)


def test_every_loss_of_torch_is_heard_once_and_gives_what_it_gave(heard: Heard) -> None:
    torch.manual_seed(0)
    x, y = torch.rand(4, 3), torch.rand(4, 3)
    labels = torch.tensor([0, 1, 2, 1])
    calls = {
        "cross_entropy": lambda f: f(x, labels, label_smoothing=0.1),
        "nll_loss": lambda f: f(x.log(), labels, reduction="sum"),
        "mse_loss": lambda f: f(x, y),
        "l1_loss": lambda f: f(x, target=y),
        "smooth_l1_loss": lambda f: f(x, y, beta=0.5),
        "huber_loss": lambda f: f(x, y, delta=0.5),
        "binary_cross_entropy": lambda f: f(x, y),
        "binary_cross_entropy_with_logits": lambda f: f(x, y, pos_weight=torch.ones(3)),
        "kl_div": lambda f: f(x.log(), y, reduction="batchmean"),
        "gaussian_nll_loss": lambda f: f(x, y, torch.ones(4, 3)),
        "triplet_margin_loss": lambda f: f(x, y, x + y),
        "soft_margin_loss": lambda f: f(x, torch.sign(y - 0.5)),
    }
    with_listener = {name: call(getattr(F, name)) for name, call in calls.items()}
    names = [name for name, _, _ in heard]
    assert names == [MODULES[name] for name in calls]
    assert all(given is out for given, (_, _, out) in zip(with_listener.values(), heard, strict=True))
    heard.clear()
    assert torch.equal(with_listener["cross_entropy"], nn.CrossEntropyLoss(label_smoothing=0.1)(x, labels))
    assert [name for name, _, _ in heard] == ["CrossEntropyLoss"]


def test_one_imported_before_and_one_imported_after(heard: Heard) -> None:
    from torch.nn.functional import cross_entropy as imported_after

    x, labels = torch.rand(2, 3), torch.tensor([0, 1])
    imported_before(x, labels)
    imported_after(x, labels)
    assert [name for name, _, _ in heard] == ["CrossEntropyLoss"] * 2


def test_the_function_stays_what_it_was(heard: Heard) -> None:
    assert imported_before is F.cross_entropy
    assert "label_smoothing" in inspect.signature(F.cross_entropy).parameters
    assert "Compute the cross entropy" in (F.cross_entropy.__doc__ or "")
    assert inspect.getsource(F.cross_entropy).startswith("def cross_entropy(")
    assert copy.deepcopy(F.cross_entropy) is F.cross_entropy
    with pytest.raises(TypeError):
        F.cross_entropy()  # type: ignore[call-arg]
    assert heard == []


def test_one_that_raises_is_heard_without_a_result(heard: Heard) -> None:
    with pytest.raises(ValueError, match="batch"):
        F.cross_entropy(torch.rand(2, 3), torch.zeros(3, dtype=torch.long))
    assert [(name, out) for name, _, out in heard] == [("CrossEntropyLoss", None)]


@pytest.mark.parametrize("as_function", [True, False])
def test_the_labels_of_a_loss_that_raises_are_known(tmp_path: Path, as_function: bool) -> None:
    set_current_hook(None)
    model, loss = Net(), nn.CrossEntropyLoss()
    hook = Hook(tmp_path / "t", save_config=SaveConfig(save_interval=1))
    hook.register_module(model)
    hook.register_loss(loss)
    with pytest.raises(IndexError, match="out of bounds"):
        (F.cross_entropy if as_function else loss)(model(torch.rand(3, 3, 6, 6)), torch.tensor([1, 2, 5]))
    found = trial(hook)
    facts = found.facts(0)
    assert (facts.loss, facts.labels_min, facts.labels_max, facts.classes) == ("CrossEntropyLoss", 1, 5, 5)
    (finding,) = Labels().findings(found, 0)
    assert "Labels lie from 1 to 5; allowed are numbers from 0 to 4, for 5 outputs" in finding.message


@pytest.mark.parametrize("loss", [
    nn.CrossEntropyLoss(ignore_index=9), lambda x, y: F.cross_entropy(x, y, ignore_index=9)
])  # fmt: skip
def test_labels_that_are_passed_over_do_not_count(tmp_path: Path, loss: Any) -> None:
    set_current_hook(None)
    model = Net()
    hook = Hook(tmp_path / "t", save_config=SaveConfig(save_interval=1))
    hook.register_module(model)
    if isinstance(loss, nn.Module):
        hook.register_loss(loss)
    loss(model(torch.rand(3, 3, 6, 6)), torch.tensor([1, 2, 9]))
    loss(model(torch.rand(3, 3, 6, 6)), torch.tensor([9, 9, 9]))
    facts = trial(hook).facts(0)
    assert (facts.ignore_index, facts.labels_min, facts.labels_max, facts.labels_distinct) == (9, 1, 2, 2)


def test_predictions_that_come_straight_from_a_sigmoid() -> None:
    scores = torch.randn(4, 1, requires_grad=True)
    through = torch.sigmoid(scores).squeeze(1).unsqueeze(0).to(torch.float64)
    assert [made_by(x) for x in (torch.sigmoid(scores), nn.Sigmoid()(scores), through)] == ["sigmoid"] * 3
    assert [made_by(x) for x in (scores, scores.relu(), torch.sigmoid(scores) * 2, through.detach())] == [""] * 4


def test_scripted_losses_still_compile() -> None:
    """In a process of its own: what is compiled is kept."""
    code = """
import torch, warnings
from torch import nn
from sagehound.debug.recording.functional_losses import listen
listen(lambda *_: None)
warnings.simplefilter("ignore")
scripted = torch.jit.script(nn.CrossEntropyLoss())
x, y = torch.rand(2, 3), torch.tensor([0, 1])
assert torch.equal(scripted(x, y), nn.CrossEntropyLoss()(x, y))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_a_registered_module_is_not_doubled_by_its_function(tmp_path: Path) -> None:
    set_current_hook(None)
    model, loss = Net(), nn.CrossEntropyLoss()
    hook = Hook(tmp_path / "t", save_config=SaveConfig(save_interval=1))
    hook.register_module(model)
    hook.register_loss(loss)
    train(model, 2, loss)
    assert trial(hook).tensor_names() == ["CrossEntropyLoss_output_0"]


def test_a_registered_loss_of_the_scripts_own(tmp_path: Path) -> None:
    class Criterion(nn.Module):
        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return F.cross_entropy(x, y) + 0.1 * F.mse_loss(x, torch.zeros_like(x))

    set_current_hook(None)
    model, loss = Net(), Criterion()
    hook = Hook(tmp_path / "t", save_config=SaveConfig(save_interval=1))
    hook.register_module(model)
    hook.register_loss(loss)
    losses = train(model, 2, loss)
    found = trial(hook)
    assert found.tensor_names() == ["Criterion_output_0"]
    assert found.info("Criterion_output_0").collections == ("losses",)
    assert [float(v) for v in found.tensor("Criterion_output_0").values().values()] == losses


def test_several_losses_of_one_step(tmp_path: Path) -> None:
    set_current_hook(None)
    model = Net()
    hook = Hook(tmp_path / "t", save_config=SaveConfig(save_interval=1))
    hook.register_module(model)
    train(model, 1, lambda x, y: F.cross_entropy(x, y) + F.mse_loss(x, x * 0) + F.cross_entropy(x * 2, y))
    assert trial(hook).tensor_names() == [
        "CrossEntropyLoss_output_0",
        "CrossEntropyLoss_output_1",
        "MSELoss_output_0",
    ]
