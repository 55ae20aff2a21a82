"""A stopped trial that is better than the best one."""

from dataclasses import replace

import pytest

from sagehound.tuning.report.page import page
from sagehound.tuning.report.passed_over import passed_over, sentence
from sagehound.tuning.report.study import Study
from tests.tuning.report.studies import study

TOLD = "had come to a validation loss of 0.1234, a better value than the best one's, when it was stopped; only a trial"


def with_stopped(value: float | None, **options: object) -> Study:
    """A study whose second trial was stopped at `value`."""
    given = study(6, early=False, **options)
    first, second, *others = given.trials
    stopped = replace(second, status="Stopped", objective=value, stopped_because="worse than the median")
    best = min((first, *others), key=lambda trial: trial.objective)
    return replace(given, trials=(first, stopped, *others), best_name=best.name)


def test_a_better_one_is_told_with_its_command() -> None:
    given = replace(with_stopped(0.1234), passed_over_command="python train.py --lr 0.02")
    trial = passed_over(given)
    assert trial is given.trials[1]
    assert TOLD in sentence(given, trial)
    told = page(given)
    assert TOLD in told.replace("&#39;", "'")
    assert '<code id="passed-over-command">python train.py --lr 0.02</code>' in told


def test_without_a_command_its_values_are_told() -> None:
    given = with_stopped(0.1234)
    assert f"Train it to its end with its values: lr {given.trials[1].values['lr']}, batch_size" in page(given)


@pytest.mark.parametrize("value", (None, 99.0, float("nan")))
def test_a_worse_one_is_not(value: float | None) -> None:
    assert passed_over(with_stopped(value)) is None
    assert "passed-over" not in page(with_stopped(value))


def test_higher_is_better_where_it_is_to_be_maximized() -> None:
    given = with_stopped(99.0)
    assert passed_over(replace(given, maximize=True)) is given.trials[1]
    assert passed_over(replace(with_stopped(0.001), maximize=True)) is None


def test_the_best_one_is_not_passed_over_though_it_was_stopped() -> None:
    given = with_stopped(0.1234)
    assert passed_over(replace(given, best_name=given.trials[1].name)) is None


def test_where_none_completed_the_best_of_the_stopped_is_told() -> None:
    given = with_stopped(0.1234)
    alone = replace(given, trials=(given.trials[1],), best_name="", status="Stopped", command="")
    assert passed_over(alone) is alone.trials[0]
    assert "better than any other, when it was stopped" in page(alone)
