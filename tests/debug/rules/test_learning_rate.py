import math
from pathlib import Path

import numpy as np
import pytest
import torch

from sagehound.debug.rules.learning_rate import LearningRate
from sagehound.debug.rules.registry import build
from sagehound.debug.store.records import Facts
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun
from tests.debug.rules.recorded import LOSS, at_each_step, noise, weight
from tests.debug.rules.trained import clusters, network, trained


def updated(ratio: float, losses: np.ndarray, every: int = 1, rates: np.ndarray | None = None) -> Trial:
    """Weights of which each update changes `ratio`, always the same way."""
    run, start = RecordedRun(), np.ones((10, 10))
    for step, loss in enumerate(losses):
        rate = (float(rates[step]),) if rates is not None else (0.1,)
        facts = Facts(optimizer_steps=step * every, learning_rates=rate)
        run.save({weight(): start * (1 + ratio * every * step), LOSS: float(loss)}, facts=facts, skip=every - 1)
    return run.end().trial()


FLAT = np.full(30, 2.3)


@pytest.mark.parametrize(("ratio", "side"), [(0.2, "high"), (5e-6, "low"), (1e-3, "")])
def test_updates_out_of_proportion_with_a_loss_that_stays(ratio: float, side: str) -> None:
    found = at_each_step(LearningRate(), updated(ratio, FLAT))
    assert bool(found) == bool(side)
    assert not side or f"is too {side}" in found[0].message


@pytest.mark.parametrize("ratio", [0.2, 5e-6])
def test_while_the_loss_falls_no_rate_is_wrong(ratio: float) -> None:
    assert at_each_step(LearningRate(), updated(ratio, np.linspace(2.3, 1.0, 30))) == []


def test_an_explosion_at_the_start_is_no_measure_for_the_loss() -> None:
    losses = np.concatenate([[1.0], np.full(4, 90.0), np.full(25, 20.0)])
    assert at_each_step(LearningRate(), updated(0.2, losses))


def test_the_ratio_is_that_of_one_update() -> None:
    assert at_each_step(LearningRate(), updated(0.02, FLAT, every=10)) == []


def test_a_rate_that_warms_up_or_has_decayed_is_let_pass() -> None:
    for rates in (np.linspace(1e-9, 1e-3, 30), np.geomspace(1e-1, 1e-4, 30)):
        assert at_each_step(LearningRate(), updated(5e-6, FLAT, rates=rates)) == []


def test_the_limits_are_parameters() -> None:
    assert at_each_step(build("LearningRate", {"high": "1e-4"}), updated(1e-3, FLAT))


def test_what_is_missing_is_named() -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0})
    assert "CollectionConfig(name='weights')" in LearningRate().unable(run.trial())
    run.save({weight(shape=(3,)): {"l2": 1.0}, LOSS: 1.0})
    assert "as reductions only" in LearningRate().unable(run.trial())
    run.save({weight(): noise(3, 3), LOSS: 1.0})
    assert LearningRate().unable(run.trial()) == ""


@pytest.mark.parametrize(("lr", "side"), [(300.0, "high"), (1e-7, "low"), (0.1, "")])
def test_real_trainings(tmp_path: Path, lr: float, side: str) -> None:
    model = network()
    rule, sgd = LearningRate(), torch.optim.SGD(model.parameters(), lr=lr)
    found = at_each_step(rule, trained(tmp_path / "run", model, clusters(40), optimizer=sgd))
    assert {each.message.split(" is too ")[1].split(":")[0] for each in found} == ({side} if side else set())


@pytest.mark.parametrize(
    ("rates", "finds"),
    [
        ([0.1 * 0.5**step for step in range(60)], True),
        ([0.1 * 0.5**step for step in range(28)], False),
        ([0.05 * (1 + math.cos(math.pi * step / 200)) for step in range(201)], False),
        ([0.1 * step / 100 for step in range(100)], False),
        ([0.1] * 100 + [1e-6] * 90, False),
        ([0.0] * 60, False),
        ([0.1 * 0.1 ** (step % 5) for step in range(100)], False),
    ],
    ids=["halved at every step", "not yet for long", "cosine", "warm-up", "the last part", "always 0", "restarts"],
)
def test_a_rate_that_is_spent(rates: list[float], finds: bool) -> None:
    run = RecordedRun()
    for rate in rates:
        run.save({LOSS: 1.0}, facts=Facts(learning_rates=(rate,)))
    trial = run.end().trial()
    found = [each for each in at_each_step(LearningRate(), trial) if "is spent" in each.message]
    assert bool(found) == finds
    if finds:
        assert "of its highest, 0.1, for 20 saved steps, after 10 above it" in found[0].message
        assert LearningRate().unable(trial) == ""
