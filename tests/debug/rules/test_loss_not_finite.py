import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.loss_not_finite import LossNotFinite
from sagehound.debug.rules.registry import build
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun
from tests.debug.rules.recorded import LOSS, at_each_step, noise, output, weight
from tests.debug.rules.trained import clusters, network, trained


def losing(*values: float) -> Trial:
    run = RecordedRun()
    for value in values:
        run.save({LOSS: value})
    return run.end().trial()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_the_first_loss_that_is_not_finite_is_found_once(bad: float) -> None:
    (found,) = at_each_step(LossNotFinite(), losing(1.0, 0.9, bad, bad, bad))
    assert (found.step, found.tensor, found.numbers["loss"]) == (2, LOSS.name, str(bad))


def test_the_first_tensor_that_went_bad_is_named_though_an_earlier_step_saved_it() -> None:
    bad = noise(4)
    bad[1] = math.nan
    run = RecordedRun()
    run.save({weight(): noise(4), output(): noise(4), LOSS: 1.0})
    run.save({weight(): noise(4), output(): bad, LOSS: 1.0})
    run.save({weight(): bad, output(): bad, LOSS: math.nan})
    (found,) = at_each_step(LossNotFinite(), run.end().trial())
    assert (found.numbers["first_bad"], found.numbers["first_bad_global_step"], found.module) == (
        output().name,
        1,
        "relu1",
    )
    assert "The first tensor that went bad is relu1_output_0, at global step 1." in found.message


def test_an_evaluation_that_is_not_finite_is_found() -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0}, ModeKeys.TRAIN)
    run.save({LOSS: math.nan}, ModeKeys.EVAL)
    (found,) = at_each_step(LossNotFinite(), run.end().trial())
    assert (found.mode, found.step) == ("EVAL", 0)


@pytest.mark.parametrize(("last", "times"), [(9.0, 0), (11.0, 1)])
def test_a_loss_that_runs_away(last: float, times: int) -> None:
    found = at_each_step(LossNotFinite(), losing(*[1.0] * 10, last, last, last, last, last))
    assert len(found) == times
    assert not found or "diverges" in found[0].message


def test_a_spike_is_no_divergence_and_the_factor_can_be_set() -> None:
    assert at_each_step(LossNotFinite(), losing(*[1.0] * 10, 50.0, 50.0, 1.0)) == []
    assert at_each_step(build("LossNotFinite", {"divergence_factor": "2"}), losing(*[1.0] * 10, 3.0, 3.0, 3.0))


def test_what_is_missing_is_named() -> None:
    run = RecordedRun()
    run.save({weight(): np.ones(3)})
    assert "no losses were saved" in LossNotFinite().unable(run.trial())
    assert LossNotFinite().unable(losing(1.0)) == ""


class Root(nn.Module):
    """Takes the root of what may be negative: NaN from the first such sample on."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sqrt(x - 0.5)


def test_a_real_training_with_the_root_of_a_negative_number(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), Root(), nn.Linear(16, 3))
    (found,) = at_each_step(LossNotFinite(), trained(tmp_path / "nan", model, clusters(4)))
    assert (found.step, found.numbers["first_bad"], found.module) == (0, "1_output_0", "1")
    assert at_each_step(LossNotFinite(), trained(tmp_path / "fine", network(), clusters(20))) == []
