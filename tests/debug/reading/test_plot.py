"""A trial as a picture."""

import math
from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pytest

from sagehound.debug.modes import ModeKeys
from sagehound.errors import DebuggerValueError, TensorUnavailable
from sagehound.testing.recorded_run import RecordedRun, info

mpl.use("Agg")
from matplotlib import pyplot as plt

WEIGHT, LOSS = info("Net_fc.weight", "weight"), info("CrossEntropyLoss_output_0", "loss")


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def training(epochs: int, batches: int, evaluated: int) -> RecordedRun:
    run = RecordedRun()
    for _ in range(epochs):
        for _ in range(batches):
            run.save({LOSS: 1.0, WEIGHT: np.array([-1.0, 3.0])})
        for _ in range(evaluated):
            run.save({LOSS: 2.0}, mode=ModeKeys.EVAL)
    return run


def labels(axes: plt.Axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_the_losses_of_both_modes_share_the_global_steps() -> None:
    axes = training(2, 5, 1).trial().plot()
    train, evaluation = axes.get_lines()
    assert labels(axes) == ["TRAIN", "EVAL"]
    assert train.get_xdata().tolist() == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]
    assert evaluation.get_xdata().tolist() == [5, 11]
    assert evaluation.get_ydata().tolist() == [2.0, 2.0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step (all modes)", LOSS.name)
    assert axes.get_title(loc="left") == "recorded"


def test_one_mode_has_its_own_count() -> None:
    axes = training(2, 5, 1).trial().plot(LOSS.name, modes=ModeKeys.EVAL)
    assert axes.get_lines()[0].get_xdata().tolist() == [0, 1]
    assert axes.get_xlabel() == "EVAL step"


def test_an_evaluation_of_many_batches_is_one_point() -> None:
    axes = training(3, 50, 10).trial().plot(modes=[ModeKeys.EVAL, ModeKeys.TRAIN])
    assert labels(axes) == ["EVAL, mean of each pass", "TRAIN, running mean"]
    batches, means = axes.get_lines()[:2]
    assert (len(batches.get_xdata()), means.get_xdata().tolist()) == (30, [54.5, 114.5, 174.5])


def test_arrays_are_their_mean_in_a_band() -> None:
    axes = training(1, 5, 0).trial().plot(WEIGHT.name)
    assert axes.get_lines()[0].get_ydata().tolist() == [1.0] * 5
    band = axes.collections[0].get_datalim(axes.transData)
    assert (band.y0, band.y1) == (-1.0, 3.0)
    assert "band from min to max" in axes.get_ylabel()


def test_several_tensors_are_named() -> None:
    axes = training(1, 5, 2).trial().plot([WEIGHT.name, LOSS.name])
    assert labels(axes) == [f"{WEIGHT.name} (TRAIN)", f"{LOSS.name} (TRAIN)", f"{LOSS.name} (EVAL)"]


def test_what_is_not_finite_is_marked() -> None:
    run = RecordedRun()
    for value in (1.0, math.nan, math.inf):
        run.save({LOSS: value})
    axes = run.trial().plot()
    assert labels(axes) == ["TRAIN", "NaN or infinite"]
    assert list(axes.get_lines()[-1].get_xdata()) == [1, 2]


def test_it_draws_where_it_is_told() -> None:
    _, axes = plt.subplots()
    assert training(1, 5, 0).trial().plot(ax=axes) is axes


def test_nothing_to_draw_is_said() -> None:
    trial = training(1, 2, 0).trial()
    with pytest.raises(DebuggerValueError, match=f"nothing to draw: {LOSS.name} in EVAL; steps were saved in TRAIN"):
        trial.plot(modes=[ModeKeys.EVAL])
    with pytest.raises(TensorUnavailable):
        trial.plot("Net_fc.bias")
