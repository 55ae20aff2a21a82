import math

import pytest

from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.loss_curve import MOST_STRETCHES, Stretch, course, evaluated, first_values
from sagehound.debug.store.records import Facts
from sagehound.testing.recorded_run import RecordedRun
from tests.debug.rules.recorded import LOSS

NAME = LOSS.name


def run_of(modes: str, run: RecordedRun | None = None) -> RecordedRun:
    """A step for each letter, whose loss is its place; T trains, E evaluates, G has no mode."""
    run = run or RecordedRun()
    names = {"T": ModeKeys.TRAIN, "E": ModeKeys.EVAL, "G": ModeKeys.GLOBAL}
    for letter in modes:
        run.save({LOSS: float(len(run.steps("")))}, names[letter])
    return run


def test_a_course_has_the_steps_that_did_the_same() -> None:
    trial = run_of("TTEETT").trial()
    found = course(trial, 5, NAME, most=3)
    assert (found.values.tolist(), found.steps.tolist(), found.mode_steps.tolist()) == ([1, 4, 5], [1, 4, 5], [1, 2, 3])
    assert course(trial, 1, NAME, most=3).values.tolist() == [0, 1]
    assert first_values(trial, 5, NAME, 3) == [0, 1, 4]
    assert first_values(trial, 2, NAME, 3) == [2]


def test_without_modes_training_is_told_from_the_rest_by_its_gradients() -> None:
    run = RecordedRun()
    for step in range(4):
        run.save({LOSS: float(step)}, ModeKeys.GLOBAL, facts=Facts(grad_enabled=step % 2 == 0))
    assert course(run.trial(), 2, NAME, most=9).values.tolist() == [0, 2]


def test_what_was_given_out_stays_as_it_is() -> None:
    run = run_of("T" * 60)
    trial = run.trial()
    before = course(trial, 59, NAME, most=60).values
    run_of("T" * 100, run)
    trial.refresh_data()
    assert course(trial, 159, NAME, most=2).values.tolist() == [158, 159]
    assert before.tolist() == list(range(60))


def test_losses_that_are_infinite_have_no_error_that_could_be_told() -> None:
    assert math.isnan(Stretch("EVAL", [math.inf, 1.0, math.inf]).error)


def stretches(modes: str, step: int, ended: bool = False) -> list[tuple[str, list[float]]]:
    run = run_of(modes)
    trial = (run.end() if ended else run).trial()
    return [(each.mode, list(each.values)) for each in evaluated(trial, step, NAME)]


def test_an_evaluation_is_over_when_training_goes_on() -> None:
    assert stretches("TTEET", 4) == [("TRAIN", [0, 1]), ("EVAL", [2, 3])]
    assert [stretches("TTEETT", step) for step in (0, 1, 2, 3, 5)] == [[]] * 5
    assert stretches("EETEET", 5)[-1] == ("EVAL", [3, 4])


@pytest.mark.parametrize(
    ("modes", "judged"),
    [("TTEEEEE", True), ("TTEEEE", False), ("TEETEE", True), ("TEETE", False), ("TEEEEEEETEEEEE", True)],
)
def test_one_that_the_training_ends_with_is_over_then_if_it_is_long_enough(modes: str, judged: bool) -> None:
    assert stretches(modes, len(modes) - 1) == []
    assert bool(stretches(modes, len(modes) - 1, ended=True)) == judged
    assert stretches(modes + "E", len(modes) - 1, ended=True) == []


def test_the_last_evaluations_are_looked_back_at() -> None:
    trial = run_of("TE" * (MOST_STRETCHES + 9) + "T").trial()
    found = evaluated(trial, trial.steps()[-1], NAME)
    assert len(found) == 2 * MOST_STRETCHES and found[-1].last_step == trial.steps()[-2]
