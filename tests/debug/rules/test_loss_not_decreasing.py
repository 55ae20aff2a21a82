from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import torch

from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.loss_not_decreasing import LossNotDecreasing
from sagehound.debug.rules.registry import build
from sagehound.debug.store.records import Facts
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun, info
from tests.debug.rules.recorded import LOSS, at_each_step, noise, weight
from tests.debug.rules.trained import clusters, network, trained


def losing(values: Iterable[float], mode: ModeKeys = ModeKeys.TRAIN, every: int = 1) -> Trial:
    run = RecordedRun()
    for number, value in enumerate(values):
        run.save({LOSS: value}, mode, skip=every - 1 if number else 0)
    return run.end().trial()


def noisy(values: np.ndarray, scale: float, seed: int = 0) -> list[float]:
    return list(values * (1 + scale * np.random.default_rng(seed).standard_normal(len(values))))


def test_a_loss_that_stays_where_it_began_is_found_as_soon_as_two_steps_lie_num_steps_apart() -> None:
    found = at_each_step(LossNotDecreasing(), losing([2.3] * 12))
    assert [each.step for each in found] == [10, 11]
    assert found[0].tensor == LOSS.name and found[0].numbers["fall_percent"] == 0
    assert "is flat: 2.3 before, 2.3 now" in found[0].message


@pytest.mark.parametrize(("fall", "times"), [(0.0008, 1), (0.002, 0)])
def test_the_fall_is_measured_by_num_steps(fall: float, times: int) -> None:
    values = [2.0 * (1 - fall / 10) ** step for step in range(30)]
    assert min(1, len(at_each_step(LossNotDecreasing(), losing(values)))) == times


@pytest.mark.parametrize("seed", range(5))
def test_a_noisy_loss_that_falls_is_healthy(seed: int) -> None:
    values = noisy(0.3 + 2 * np.exp(-np.arange(200) / 40), 0.15, seed)
    assert at_each_step(LossNotDecreasing(), losing(values)) == []


@pytest.mark.parametrize("seed", range(5))
def test_a_noisy_loss_without_a_trend_is_found(seed: int) -> None:
    found = at_each_step(LossNotDecreasing(), losing(noisy(np.full(120, 2.3), 0.05, seed)))
    assert found and "no downward trend" in found[0].message


def test_a_loss_that_rises_past_the_limit_is_found() -> None:
    rising = [1.0] * 5 + list(np.linspace(1.0, 1.5, 20))
    messages = [each.message for each in at_each_step(LossNotDecreasing(), losing(rising))]
    assert any("rises" in message for message in messages)


@pytest.mark.parametrize(("last", "finds"), [(0.5, True), (0.011, True), (0.009, False), (0.0, False)])
def test_a_loss_with_nowhere_to_go_is_no_fault(last: float, finds: bool) -> None:
    values = [1.0] * 11 + [last] * 30
    at_the_end = [each for each in at_each_step(LossNotDecreasing(), losing(values)) if each.step > 30]
    assert bool(at_the_end) == finds


def test_the_saved_interval_may_be_longer_than_num_steps() -> None:
    assert at_each_step(LossNotDecreasing(), losing([2.0] * 8, every=500))
    assert at_each_step(LossNotDecreasing(), losing([2.0 / (step + 1) for step in range(8)], every=500)) == []


def test_steps_that_evaluate_are_not_compared_with_steps_that_train() -> None:
    run = RecordedRun()
    for step in range(40):
        run.save({LOSS: 2.0 * 0.95**step}, ModeKeys.TRAIN)
        run.save({LOSS: 5.0}, ModeKeys.EVAL)
        run.save({LOSS: 5.0}, ModeKeys.GLOBAL, facts=Facts(grad_enabled=False))
    assert at_each_step(LossNotDecreasing(), run.end().trial()) == []


def test_evaluations_are_compared_as_a_whole() -> None:
    def evaluated(means: list[float]) -> Trial:
        run = RecordedRun()
        for mean in means:
            run.save({LOSS: mean}, ModeKeys.TRAIN)
            for batch in range(5):
                run.save({LOSS: mean * (1 + batch / 2)}, ModeKeys.EVAL)
        return run.end().trial()

    rule = build("LossNotDecreasing", {"mode": "EVAL"})
    assert at_each_step(rule, evaluated([2.0, 1.5, 1.2, 1.0])) == []
    (found,) = at_each_step(rule, evaluated([2.0, 1.5, 1.5, 1.5]))
    assert found.mode == "EVAL"


def test_a_scalar_is_found_by_its_name() -> None:
    run = RecordedRun()
    for _ in range(12):
        run.save({info("scalar/my_loss", "scalar"): 1.0, info("scalar/accuracy", "scalar"): 0.1, LOSS: 3.0})
    trial = run.end().trial()
    assert {each.tensor for each in at_each_step(build("LossNotDecreasing", {"tensor_regex": "my_loss"}), trial)} == {
        "scalar/my_loss"
    }
    assert {each.tensor for each in at_each_step(build("LossNotDecreasing", {"tensor_regex": ".*"}), trial)} == {
        LOSS.name
    }


def test_what_is_missing_is_named() -> None:
    run = RecordedRun()
    run.save({weight(): noise(3)})
    assert "CollectionConfig(name='losses')" in LossNotDecreasing().unable(run.trial())
    assert "hook.set_mode(modes.EVAL)" in LossNotDecreasing(mode="EVAL").unable(losing([1.0]))
    assert "there is no mode 'TEST'" in LossNotDecreasing(mode="TEST").unable(losing([1.0]))
    assert LossNotDecreasing().unable(losing([1.0])) == ""


def test_a_real_training_that_learns_and_one_whose_rate_is_zero(tmp_path: Path) -> None:
    model = network()
    still = torch.optim.SGD(model.parameters(), lr=0.0)
    assert at_each_step(LossNotDecreasing(), trained(tmp_path / "still", model, clusters(80), optimizer=still))
    assert at_each_step(LossNotDecreasing(), trained(tmp_path / "learns", network(), clusters(80))) == []
