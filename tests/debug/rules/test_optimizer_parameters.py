from pathlib import Path

import pytest
import torch

from sagehound.debug.rules.optimizer_parameters import OptimizerParameters
from sagehound.debug.rules.registry import build
from sagehound.debug.store.records import Facts, Model, OptimizerInfo, ParameterInfo
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun
from tests.debug.rules.recorded import LOSS, at_each_step
from tests.debug.rules.trained import clusters, network, trained


def held(*optimized: bool, trainable: bool = True, taken: int | None = 9, foreign: int = 0) -> Trial:
    parameters = tuple(
        ParameterInfo(name=f"Net_{n}.weight", module=f"{n}", optimized=o, trainable=trainable)
        for n, o in enumerate(optimized)
    )
    run = RecordedRun(Model(parameters=parameters, optimizers=(OptimizerInfo(type="SGD", foreign=foreign),)))
    run.save({LOSS: 1.0}, facts=Facts(optimizer_steps=taken))
    return run.end().trial()


def test_parameters_that_the_optimizer_does_not_hold() -> None:
    (found,) = at_each_step(OptimizerParameters(), held(True, False))
    assert "SGD holds 1 of the model's 2 trainable parameters; missing: Net_1.weight." in found.message
    assert found.module == "1"


def test_an_optimizer_of_another_model() -> None:
    (found,) = at_each_step(OptimizerParameters(), held(False, False, foreign=2))
    assert "holds 0 of the model's 2" in found.message and "holds 2 that the model does not have" in found.message


def test_a_model_without_trainable_parameters() -> None:
    (found,) = at_each_step(OptimizerParameters(), held(False, trainable=False))
    assert "none of the model's 1 parameters is trainable" in found.message


@pytest.mark.parametrize(("taken", "times"), [(4, 0), (5, 1), (None, 1)])
def test_the_second_optimizer_is_waited_for(taken: int | None, times: int) -> None:
    assert len(at_each_step(OptimizerParameters(), held(True, False, taken=taken))) == times
    assert at_each_step(build("OptimizerParameters", {"steps": "20"}), held(True, False)) == []


def test_what_is_missing_is_named() -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0})
    assert "hook.register_module(model)" in OptimizerParameters().unable(run.trial())
    none = RecordedRun(Model(parameters=(ParameterInfo(name="Net_0.weight"),)))
    assert "no optimizer of torch.optim took a step" in OptimizerParameters().unable(none.trial())
    assert at_each_step(OptimizerParameters(), held(True, True)) == []
    assert OptimizerParameters().unable(held(True)) == ""


def test_real_trainings(tmp_path: Path) -> None:
    model, rule, data = network(), OptimizerParameters(), clusters(8)
    part = torch.optim.SGD(model[2].parameters(), lr=0.1)
    found = at_each_step(rule, trained(tmp_path / "part", model, data, optimizer=part))
    assert "holds 2 of the model's 4" in found[0].message
    other = torch.optim.SGD(network().parameters(), lr=0.1)
    found = at_each_step(rule, trained(tmp_path / "other", network(), data, optimizer=other))
    assert "holds 0 of the model's 4" in found[0].message and "holds 4 that the model does not have" in found[0].message
    frozen = network()
    frozen[0].requires_grad_(False)
    head = torch.optim.SGD(frozen[2].parameters(), lr=0.1)
    assert at_each_step(rule, trained(tmp_path / "meant", frozen, data, optimizer=head)) == []
