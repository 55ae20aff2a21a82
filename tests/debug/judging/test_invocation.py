"""Running a rule over a trial."""

import pytest

from sagehound.debug.judging.custom_rule import Rule
from sagehound.debug.judging.invocation import invoke_rule
from sagehound.debug.trial import Trial
from sagehound.errors import RuleEvaluationConditionMet
from sagehound.testing.recorded_run import RecordedRun, info

LOSS = info("loss", "loss")


class Steps(Rule):
    """Fires at `fires`, and keeps what it was asked."""

    def __init__(self, base_trial: Trial, fires: int = -1, last: bool = False) -> None:
        super().__init__(base_trial)
        self.fires, self.last, self.asked = fires, last, list[int]()

    def invoke_at_step(self, step: int) -> bool:
        self.asked.append(step)
        if self.last and step == self.fires:
            raise RuleEvaluationConditionMet(self.rule_name, step, end_of_rule=True)
        return step == self.fires


@pytest.fixture
def run() -> RecordedRun:
    run = RecordedRun()
    for _ in range(5):
        run.save({LOSS: 1.0}, skip=9)
    return run


def test_it_ends_with_the_trainings_data(run: RecordedRun) -> None:
    rule = Steps(run.end().trial(), fires=19)
    invoke_rule(rule)
    assert rule.asked == [9, 19, 29, 39, 49]


def test_it_waits_for_a_training_that_runs(run: RecordedRun) -> None:
    def asleep(seconds: float) -> None:
        if len(run.steps("worker_0")) == 7:
            run.end()
        else:
            run.save({LOSS: 1.0}, skip=9)

    rule = Steps(Trial(run, sleep=asleep))
    invoke_rule(rule, start_step=None, end_step=None)
    assert rule.asked == [9, 19, 29, 39, 49, 59, 69]


def test_from_one_step_to_before_another(run: RecordedRun) -> None:
    rule = Steps(run.trial())
    invoke_rule(rule, start_step=10, end_step=39)
    assert rule.asked == [19, 29]


def test_the_first_time_it_fires_may_be_raised(run: RecordedRun) -> None:
    rule = Steps(run.trial(), fires=29)
    with pytest.raises(RuleEvaluationConditionMet, match="Steps at step 29"):
        invoke_rule(rule, raise_eval_cond=True)


def test_a_rule_may_say_that_it_is_done(run: RecordedRun) -> None:
    rule = Steps(run.trial(), fires=19, last=True)
    invoke_rule(rule)
    assert rule.asked == [9, 19]


def test_an_error_of_the_rule_is_the_callers(run: RecordedRun) -> None:
    class Faulty(Rule):
        def invoke_at_step(self, step: int) -> bool:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        invoke_rule(Faulty(run.trial()))


def test_a_range_of_steps_has_an_end_too(run: RecordedRun) -> None:
    rule = Steps(Trial(run, range_steps=(19, 40)))
    invoke_rule(rule)
    assert rule.asked == [19, 29, 39]
    from_there = Steps(Trial(run.end(), range_steps=(30, None)))
    invoke_rule(from_there)
    assert from_there.asked == [39, 49]


def test_a_rule_that_fires_is_seen_where_nobody_has_set_logging_up(
    run: RecordedRun, caplog: pytest.LogCaptureFixture
) -> None:
    invoke_rule(Steps(run.end().trial(), fires=19))
    assert [(one.levelname, "Steps at step 19" in one.getMessage()) for one in caplog.records] == [("WARNING", True)]
