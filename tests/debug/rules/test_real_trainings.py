"""The rules over real, tiny trainings: one with a planted fault for each, and a healthy one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from sagehound.debug.config.reduction_config import ReductionConfig
from sagehound.debug.config.save_config import SaveConfig
from sagehound.debug.hook import Hook
from sagehound.debug.rules.registry import build
from sagehound.debug.trial import Trial
from tests.debug.hooked import trial
from tests.debug.rules.recorded import tensors_found

RULES = (
    "VanishingGradient",
    "ExplodingTensor",
    "DeadRelu",
    "SaturatedActivation",
    "WeightUpdateRatio",
    "PoorWeightInitialization",
    "AllZero",
    "UnchangedTensor",
)


def net(activation: Callable[[], nn.Module] = nn.ReLU, hidden: int = 2) -> nn.Sequential:
    torch.manual_seed(3)
    layers: list[nn.Module] = [nn.Linear(8, 16), activation()]
    for _ in range(hidden - 1):
        layers += [nn.Linear(16, 16), activation()]
    return nn.Sequential(*layers, nn.Linear(16, 3))


@dataclass
class Training:
    """What may be wrong with it."""

    model: nn.Module
    lr: float = 0.05
    scale: float = 1.0
    reductions: ReductionConfig | None = None

    def run(self, folder: Path) -> Trial:
        """Twelve steps of 128 samples, all of them saved."""
        interval = SaveConfig(save_interval=1)
        hook = Hook(folder / "run", save_all=True, save_config=interval, reduction_config=self.reductions)
        criterion = nn.CrossEntropyLoss()
        hook.register_module(self.model)
        hook.register_loss(criterion)
        optimizer = torch.optim.SGD(self.model.parameters(), lr=self.lr)
        generator = torch.Generator().manual_seed(1)
        rule = torch.randn(8, 3, generator=generator)
        for _ in range(12):
            samples = torch.randn(128, 8, generator=generator)
            optimizer.zero_grad()
            criterion(self.model(samples * self.scale), (samples @ rule).argmax(1)).backward()
            optimizer.step()
        return trial(hook)


def dead() -> Training:
    training = Training(net(hidden=1))
    nn.init.constant_(training.model[0].bias, -50.0)  # type: ignore[index, arg-type]
    return training


def saturated() -> Training:
    return Training(net(nn.Tanh, hidden=1), scale=1000.0)


def vanishing() -> Training:
    return Training(net(nn.Sigmoid, hidden=12))


def exploding() -> Training:
    return Training(net(), lr=1e30)


def jumping() -> Training:
    return Training(net(), lr=3e3)


def small() -> Training:
    training = Training(net(hidden=6), lr=1e-3)
    for layer in training.model:  # type: ignore[attr-defined]
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=1e-3)
    return training


def zeros() -> Training:
    training = Training(net())
    for parameter in training.model.parameters():
        nn.init.zeros_(parameter)
    return training


def at_rest() -> Training:
    return Training(net(), lr=1e-12)


@pytest.mark.parametrize(
    ("rule", "fault", "tensor"),
    [
        ("VanishingGradient", vanishing, "gradient/Sequential_0.weight"),
        ("ExplodingTensor", exploding, "gradient/Sequential_0.weight"),
        ("DeadRelu", dead, "1_output_0"),
        ("SaturatedActivation", saturated, "1_input_0"),
        ("WeightUpdateRatio", jumping, "Sequential_4.weight"),
        ("PoorWeightInitialization", small, "gradient/Sequential_0.weight"),
        ("AllZero", zeros, "Sequential_0.weight"),
        ("UnchangedTensor", at_rest, "Sequential_2.weight"),
    ],
)
def test_a_planted_fault_is_found(rule: str, fault: Callable[[], Training], tensor: str, tmp_path: Path) -> None:
    found = tensors_found(build(rule), fault().run(tmp_path))
    assert tensor in found


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return Training(net()).run(tmp_path_factory.mktemp("healthy"))


@pytest.mark.parametrize("rule", RULES)
def test_a_healthy_training_is_clean(rule: str, healthy: Trial) -> None:
    built = build(rule)
    assert tensors_found(built, healthy) == []
    assert built.unable(healthy) == ""


def test_variances_by_their_bounds(healthy: Trial) -> None:
    rule = build("TensorVariance", {"collection_names": "weights", "max_threshold": "0.03"})
    assert set(tensors_found(rule, healthy)) == {"Sequential_0.weight"}


def test_reductions_that_a_hook_saved_suffice(tmp_path: Path) -> None:
    training = vanishing()
    training.reductions = ReductionConfig(abs_reductions=["mean"])
    saved = training.run(tmp_path)
    assert "gradient/Sequential_0.weight" in tensors_found(build("VanishingGradient"), saved)
