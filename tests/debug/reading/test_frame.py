"""A trial as a table."""

import math

import numpy as np
import pytest

from sagehound.debug.modes import ModeKeys
from sagehound.errors import TensorUnavailable
from sagehound.testing.recorded_run import RecordedRun, info
from tests.debug.test_tensor import Reduced, TwoWorkers

WEIGHT = info("Net_fc.weight", "weight")
LOSS, ACCURACY = info("loss", "loss"), info("scalar/accuracy", "scalar")
OF_ARRAYS = ["min", "mean", "max", "std", "abs_mean", "l2"]


@pytest.fixture
def run() -> RecordedRun:
    run = RecordedRun()
    run.save({WEIGHT: np.array([[3.0, -5.0]]), LOSS: 2.0}, skip=9)
    run.save({LOSS: math.nan, ACCURACY: 0.5}, mode=ModeKeys.EVAL, skip=4)
    return run


def test_numbers_by_default(run: RecordedRun) -> None:
    frame = run.trial().to_frame()
    assert frame.columns.tolist() == ["step", "mode", "mode_step", "name", "value"]
    assert frame.drop(columns="value").to_numpy().tolist() == [
        [9, "TRAIN", 9, "loss"],
        [14, "EVAL", 4, "loss"],
        [14, "EVAL", 4, "scalar/accuracy"],
    ]
    assert np.array_equal(frame["value"], [2.0, math.nan, 0.5], equal_nan=True)


def test_arrays_by_their_reductions(run: RecordedRun) -> None:
    frame = run.trial().to_frame(collection="weights")
    assert frame.columns.tolist() == ["step", "mode", "mode_step", "name", *OF_ARRAYS]
    assert frame[OF_ARRAYS].to_numpy().tolist() == [[-5.0, -1.0, 3.0, 4.0, 4.0, pytest.approx(math.sqrt(34))]]


def test_both_in_one_table(run: RecordedRun) -> None:
    frame = run.trial().to_frame(regex="weight|loss", mode=ModeKeys.TRAIN)
    assert frame["name"].tolist() == ["Net_fc.weight", "loss"]
    assert frame["value"].isna().tolist() == [True, False]
    assert frame["min"].isna().tolist() == [False, True]


def test_a_name_that_was_not_saved_is_an_error(run: RecordedRun) -> None:
    assert run.trial().to_frame("loss")["step"].tolist() == [9, 14]
    with pytest.raises(TensorUnavailable, match=r"Net_fc\.bias"):
        run.trial().to_frame(["loss", "Net_fc.bias"])


def test_nothing_saved_is_an_empty_table() -> None:
    frame = RecordedRun().trial().to_frame()
    assert frame.columns.tolist() == ["step", "mode", "mode_step", "name", "value"]
    assert frame.empty


def test_saved_reductions_are_what_there_is() -> None:
    run = Reduced()
    run.save_reduced(1.0, 2.0, 3.0, 4.0)
    frame = run.trial().to_frame(["x", "other"])
    assert frame.columns.tolist() == ["step", "mode", "mode_step", "name", "min", "mean", "max", "abs_l2"]
    assert frame["mean"].tolist()[0] == 3.0
    assert frame["max"].tolist()[1] == 2.0


def test_several_workers_are_told_apart() -> None:
    run = TwoWorkers()
    run.second = 1
    run.save({LOSS: 1.0})
    assert run.trial().to_frame()["worker"].tolist() == ["worker_0", "worker_1"]
    assert "worker" not in run.trial().to_frame(worker="worker_1").columns
