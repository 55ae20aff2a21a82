import numpy as np
import pytest

from sagehound.debug.rules.unit_activity import unit_activity, unit_axis
from sagehound.debug.trial import Trial
from tests.debug.rules.recorded import model_of, output, trial_of


def idle(values: np.ndarray) -> np.ndarray:
    return values <= 0


def activity(trial: Trial, step: int, percent: float = 1.0) -> tuple[list[float], int]:
    found = unit_activity(trial, step, trial.infos(step)[0], "relu", idle, percent)
    return found.active.round(6).tolist(), found.observations


def test_the_share_of_samples_in_which_each_unit_was_active() -> None:
    trial = trial_of({output(): np.array([[1, 0, -1], [1, 1, 0], [1, 0, 0], [1, 0, 0]])})
    assert activity(trial, 0, percent=25) == ([1.0, 0.25, 0.0], 4)


def test_places_of_a_feature_map_count_as_samples_do() -> None:
    maps = np.zeros((2, 3, 4, 5), np.float32)
    maps[0, 1] = 1
    assert activity(trial_of({output(): maps}), 0) == ([0.0, 0.5, 0.0], 40)


def test_as_many_earlier_steps_as_it_takes() -> None:
    on, off = {output(): np.ones((2, 1))}, {output(): np.zeros((2, 1))}
    trial = trial_of(on, off, off)
    assert activity(trial, 2, percent=25) == ([0.0], 4)
    assert activity(trial, 2, percent=20) == ([pytest.approx(1 / 3, abs=1e-5)], 6)
    assert activity(trial, 0, percent=20) == ([1.0], 2)


def test_a_layer_of_another_width_ends_the_look_back() -> None:
    trial = trial_of({output(): np.ones((9, 2))}, {output(): np.zeros((2, 1))})
    assert activity(trial, 1) == ([0.0], 2)


def test_the_share_of_units_below_a_percentage() -> None:
    trial = trial_of({output(): np.array([[1.0, 0.0]] * 3 + [[0.0, 0.0]])})
    found = unit_activity(trial, 0, trial.infos(0)[0], "relu", idle, 30)
    assert [found.below(percent) for percent in (10, 75, 76)] == [50.0, 50.0, 100.0]


@pytest.mark.parametrize(
    ("before", "shape", "axis"),
    [
        ("", (4,), 0),
        ("", (8, 4), 1),
        ("", (8, 4, 5), 2),
        ("", (8, 4, 5, 5), 1),
        ("Conv1d", (8, 4, 5), 1),
        ("BatchNorm1d", (8, 4, 5), 1),
        ("Linear", (8, 5, 5, 4), 3),
        ("LayerNorm", (8, 5, 4), 2),
    ],
)
def test_which_axis_counts_units(before: str, shape: tuple[int, ...], axis: int) -> None:
    model = model_of(("", "Net"), ("first", before), ("drop", "Dropout"), ("relu1", "ReLU"), ("last", "Linear"))
    trial = trial_of({output(): np.zeros(shape)}, model=model)
    assert unit_axis(trial, trial.infos(0)[0]) == axis
