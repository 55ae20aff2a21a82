"""What early stopping saved: counted, not guessed."""

from sagehound.tuning.report.saving import Saving, planned_reports, saving
from sagehound.tuning.report.study import Point, StudyTrial
from tests.tuning.report.studies import study


def trial(number: int, reports: int, epochs: str | None, stopped: bool) -> StudyTrial:
    curve = tuple(Point(100.0 + 2.0 * place, 1.0) for place in range(reports))
    return StudyTrial(
        number=number,
        name=f"t-{number}",
        values={"epochs": epochs} if epochs else {},
        status="Stopped" if stopped else "Completed",
        stopped_because="worse than the median" if stopped else "",
        created_s=90.0,
        started_s=98.0,
        ended_s=98.0 + 2.0 * reports,
        objective=1.0,
        curve=curve,
    )


def test_epochs_that_a_trial_was_given_and_did_not_train() -> None:
    given = study(0, trials=(trial(1, 10, "10", False), trial(2, 3, '"8"', True)))
    assert saving(given) == Saving(trials=1, reports=5, planned=18, seconds=10.0)


def test_without_epochs_it_is_what_the_completed_ones_did() -> None:
    given = study(0, trials=(trial(1, 10, None, False), trial(2, 12, None, False), trial(3, 3, None, True)))
    assert planned_reports(given, given.trials[2]) == 11


def test_a_script_that_reports_twice_an_epoch_is_believed_by_its_reports() -> None:
    given = study(0, trials=(trial(1, 20, "10", False), trial(2, 4, "10", True)))
    assert planned_reports(given, given.trials[1]) == 20


def test_hyperbands_resource_is_what_a_trial_may_have() -> None:
    given = study(0, trials=(trial(1, 3, None, True),), resource=(1, 9))
    assert saving(given) == Saving(trials=1, reports=6, planned=9, seconds=12.0)


def test_what_is_not_known_is_not_claimed() -> None:
    assert saving(study(0, trials=(trial(1, 10, "10", False),))) is None
    unknown = saving(study(0, trials=(trial(1, 3, None, True),)))
    assert unknown is not None
    assert (unknown.reports, unknown.seconds) == (0, 0.0)
