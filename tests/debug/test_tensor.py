"""One tensor: its steps, values, reductions, shapes and workers."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from sagehound.debug.modes import ModeKeys
from sagehound.debug.store.records import REDUCTIONS, Run, Step, TensorInfo
from sagehound.debug.tensor import Tensor
from sagehound.debug.trial import Trial
from sagehound.errors import InvalidWorker, ShapeUnavailableForStep, TensorUnavailableForStep
from sagehound.testing.recorded_run import RecordedRun, info

WEIGHT = info("Net_fc.weight", "weight", module="fc", module_type="Linear")
LOSS = info("loss", "loss")
TRAIN, EVAL = ModeKeys.TRAIN, ModeKeys.EVAL


@pytest.fixture
def run() -> RecordedRun:
    run = RecordedRun()
    for step in range(4):
        run.save({WEIGHT: np.array([[step, -2.0 * step]]), LOSS: 1.0 / (step + 1)}, skip=4)
        run.save({LOSS: 2.0}, mode=EVAL)
    return run


@pytest.fixture
def weight(run: RecordedRun) -> Tensor:
    return run.trial().tensor(WEIGHT.name)


def test_steps_and_those_before(weight: Tensor) -> None:
    assert weight.steps() == [4, 10, 16, 22]
    assert weight.steps(mode=TRAIN) == [4, 9, 14, 19]
    assert weight.steps(mode=EVAL) == []
    assert weight.prev_steps(17, 2) == [10, 16]
    assert weight.prev_steps(16, 2) == [10, 16]
    assert weight.prev_steps(3, 2) == []
    assert weight.prev_steps(14, None, mode=TRAIN) == weight.prev_steps(14, 99, mode=TRAIN) == [4, 9, 14]
    assert weight.prev_steps(14, mode=TRAIN) == [4, 9, 14]


def test_values_in_each_count(run: RecordedRun, weight: Tensor) -> None:
    assert weight.value(10).tolist() == weight.value(9, mode=TRAIN).tolist() == [[1.0, -2.0]]
    assert {step: value.tolist() for step, value in weight.values(TRAIN).items()} == {
        4: [[0.0, -0.0]],
        9: [[1.0, -2.0]],
        14: [[2.0, -4.0]],
        19: [[3.0, -6.0]],
    }
    loss = run.trial().tensor("loss")
    assert loss.value(9, TRAIN).item() == 0.5
    assert loss.value(0, EVAL).shape == ()


def test_a_step_without_the_tensor_names_it(weight: Tensor) -> None:
    with pytest.raises(TensorUnavailableForStep, match=r"Net_fc.weight was not saved at step 0 of mode EVAL; tensor\("):
        weight.value(0, mode=EVAL)
    with pytest.raises(TensorUnavailableForStep):
        weight.shape(0, mode=EVAL)
    for step in (0, 7):
        with pytest.raises(TensorUnavailableForStep):
            weight.workers(step, mode=EVAL)


def test_shapes_and_descriptions(weight: Tensor) -> None:
    assert weight.shape(10) == (1, 2)
    assert weight.shapes(TRAIN) == dict.fromkeys((4, 9, 14, 19), (1, 2))
    assert weight.info(10).module == "fc"
    assert repr(weight) == "Tensor('Net_fc.weight', saved at 4 steps)"


def test_reductions_are_computed_from_what_was_saved(weight: Tensor) -> None:
    assert weight.reduction_value(16, "max") == 2.0
    assert weight.reduction_value(14, "mean", mode=TRAIN) == -1.0
    assert weight.reduction_value(16, "mean", abs=True) == 3.0
    assert weight.reduction_value(16, reduction_name="l1") == 6.0
    assert weight.reduction_values(16) == {}


class Reduced(RecordedRun):
    """Saves reductions in place of arrays, after another tensor's."""

    infos = (
        TensorInfo(name="other", kind="custom", saved="nothing", reductions=("min", "max")),
        TensorInfo(name="x", kind="custom", shape=(2, 3), saved="nothing", reductions=("mean", "abs_l2")),
    )

    def save_reduced(self, *row: float) -> None:
        step = self.save({each: np.zeros(0) for each in self.infos})
        self._layouts[step] = msgspec.structs.replace(self._layouts[step], tensors=self.infos)
        self._arrays = {(step, REDUCTIONS): np.array(row)}


def test_saved_reductions_stand_in_for_the_array() -> None:
    run = Reduced()
    run.save_reduced(1.0, 2.0, 3.0, 4.0)
    tensor = run.trial().tensor("x")
    assert tensor.reductions(0) == {"mean": 3.0, "abs_l2": 4.0}
    assert tensor.reduction_values(0) == {("mean", False): 3.0, ("l2", True): 4.0}
    assert tensor.reduction_value(0, "l2", abs=True) == 4.0
    assert tensor.shape(0) == (2, 3)
    with pytest.raises(ShapeUnavailableForStep, match="shape of other is not known at step 0"):
        run.trial().tensor("other").shape(0)
    for ask in (lambda: tensor.value(0), lambda: tensor.reduction_value(0, "max")):
        with pytest.raises(TensorUnavailableForStep, match=r"x has only reductions at step 0 \(mean, abs_l2\)"):
            ask()


class TwoWorkers(RecordedRun):
    """The second worker has saved as many steps as `second` says."""

    second = 0

    def runs(self) -> dict[str, Run]:
        return {name: Run(worker=name, workers=2) for name in ("worker_0", "worker_1")}

    def steps(self, worker: str) -> Sequence[Step]:
        return self._steps if worker == "worker_0" else self._steps[: self.second]


def test_a_step_counts_once_all_workers_have_saved_it() -> None:
    run = TwoWorkers()
    for _ in range(3):
        run.save({LOSS: 1.0})
    run.second = 1
    trial = run.trial()
    loss = trial.tensor("loss")
    assert trial.steps() == loss.steps() == loss.steps(TRAIN) == [0]
    assert trial.steps(show_incomplete_steps=True) == loss.steps(show_incomplete_steps=True) == [0, 1, 2]
    assert [trial.has_passed_step(step).name for step in (0, 1)] == ["AVAILABLE", "NOT_YET_AVAILABLE"]
    assert loss.workers(0) == ["worker_0", "worker_1"]
    assert loss.workers(1) == ["worker_0"]
    run.second = 3
    assert trial.steps() == [0, 1, 2]


def test_a_trial_that_ended_has_no_incomplete_steps() -> None:
    run = TwoWorkers()
    run.save({LOSS: 1.0})
    assert run.trial().steps() == []
    assert run.end().trial().steps() == [0]


def test_a_worker_is_chosen_by_name() -> None:
    run = TwoWorkers()
    run.second = 1
    run.save({LOSS: 1.0})
    run.save({LOSS: 2.0})
    trial: Trial = run.trial()
    assert trial.workers() == ["worker_0", "worker_1"]
    assert trial.tensor("loss").value(0, worker="worker_1").item() == 1.0
    with pytest.raises(TensorUnavailableForStep, match="by worker_1"):
        trial.tensor("loss").value(1, worker="worker_1")
    with pytest.raises(InvalidWorker, match="'worker_7' saved anything; there are worker_0, worker_1"):
        trial.tensor("loss").value(0, worker="worker_7")
