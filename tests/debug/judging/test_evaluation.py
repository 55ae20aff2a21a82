"""Judging a trial by rules: in order, each step once, findings bounded, one rule's failure its own."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from sagehound.debug.finding import Finding
from sagehound.debug.judging.evaluation import MOST_FINDINGS, Evaluation, without_data
from sagehound.debug.trial import Trial
from sagehound.errors import InvalidInput
from sagehound.testing.recorded_run import RecordedRun, info
from sagehound.watching.rule_status import Status
from tests.debug.test_tensor import TwoWorkers

LOSS = info("loss", "loss")


@dataclass
class Judge:
    """Finds one thing at each step that is in `fires`, about the tensor that it has there."""

    name: ClassVar[str] = "Judge"
    fires: dict[int, str] = field(default_factory=dict)
    raises: dict[int, Exception] = field(default_factory=dict)
    reason: str = ""
    asked: list[int] = field(default_factory=list)

    def findings(self, trial: Trial, step: int) -> Iterable[Finding]:
        self.asked.append(step)
        if step in self.raises:
            raise self.raises[step]
        if step in self.fires:
            yield Finding(
                rule="Judge",
                step=step,
                tensor=self.fires[step],
                message=f"bad {self.fires[step]}.",
                why="w",
                change="c",
            )

    def unable(self, trial: Trial) -> str:
        return self.reason


class Watching(Judge):
    def while_idle(self, trial: Trial, idle_s: float) -> Iterable[Finding]:
        if idle_s > 30:
            yield Finding(rule="Watching", step=0, message="silence.", why="w", change="c")


@pytest.fixture
def run() -> RecordedRun:
    run = RecordedRun()
    for _ in range(3):
        run.save({LOSS: 1.0})
    return run


def test_each_step_is_judged_once_and_in_order(run: RecordedRun) -> None:
    judge = Judge()
    evaluation = Evaluation(run.trial(), {"a": judge})
    assert evaluation.advance(most=2) == []
    assert judge.asked == [0, 1]
    assert evaluation.waits()
    evaluation.advance()
    run.save({LOSS: 1.0})
    assert not evaluation.waits()  # whoever runs it says when to look for news
    evaluation.trial.refresh_data()
    evaluation.advance()
    assert judge.asked == [0, 1, 2, 3]
    assert not evaluation.over
    evaluation.trial.end()
    assert evaluation.over


def test_a_step_waits_for_its_workers() -> None:
    run = TwoWorkers()
    run.second = 1
    for _ in range(2):
        run.save({LOSS: 1.0})
    judge = Judge()
    evaluation = Evaluation(run.trial(), {"a": judge})
    evaluation.advance()
    assert judge.asked == [0]
    evaluation.trial.end()
    evaluation.advance()
    assert judge.asked == [0, 1]


def test_a_tensor_is_found_bad_once(run: RecordedRun) -> None:
    evaluation = Evaluation(run.trial(), {"a": Judge({0: "x", 1: "x", 2: "y"})})
    assert [(found.step, found.tensor) for found in evaluation.advance()] == [(0, "x"), (2, "y")]
    status = evaluation.judgements["a"].status(7.0)
    assert (status.status, status.updated_at, len(status.findings)) == (Status.ISSUES_FOUND, 7.0, 2)
    assert status.details == (
        "RuleEvaluationConditionMet: Evaluation of the rule Judge at step 0 resulted in the condition being met. "
        "bad x (1 more)."
    )


def test_a_rule_that_has_said_enough_rests() -> None:
    run = RecordedRun()
    for _ in range(50):
        run.save({LOSS: 1.0})
    judge = Judge({step: f"x{step}" for step in range(50)})
    evaluation = Evaluation(run.trial(), {"a": judge})
    assert len(evaluation.advance()) == MOST_FINDINGS == 20
    assert judge.asked == list(range(20))


def test_a_rule_that_fails_is_alone_in_it(run: RecordedRun, caplog: pytest.LogCaptureFixture) -> None:
    rules = {
        "bug": Judge(raises={1: KeyError("k")}),
        "refused": Judge(raises={1: InvalidInput("no such tensor")}),
        "late": Judge({0: "x"}, raises={1: KeyError("k")}),
        "good": Judge({2: "y"}),
    }
    evaluation = Evaluation(run.trial(), rules)
    with caplog.at_level(logging.CRITICAL):
        evaluation.advance()
    evaluation.finish()
    said = {name: one.status(0.0) for name, one in evaluation.judgements.items()}
    assert said["bug"].status is Status.ERROR
    assert said["bug"].details.startswith("KeyError: 'k' (test_evaluation.py line ")
    assert said["bug"].details.endswith(", in findings, at step 1)")
    assert said["refused"].details == "no such tensor (at step 1)"
    assert said["late"].status is Status.ISSUES_FOUND
    assert "bad x. Later the rule itself failed: KeyError" in said["late"].details
    assert said["good"].status is Status.ISSUES_FOUND
    assert rules["bug"].asked == [0, 1]


def test_the_end_tells_no_issues_from_nothing_to_judge(run: RecordedRun) -> None:
    evaluation = Evaluation(run.trial(), {"fine": Judge(), "blind": Judge(reason="no gradients were saved")})
    evaluation.advance()
    assert {one.status(0.0).status for one in evaluation.judgements.values()} == {Status.IN_PROGRESS}
    evaluation.trial.end()
    evaluation.finish()
    said = {name: (one.status(0.0).status, one.status(0.0).details) for name, one in evaluation.judgements.items()}
    assert said == {
        "fine": (Status.NO_ISSUES_FOUND, ""),
        "blind": (Status.ERROR, "The rule Judge could judge nothing: no gradients were saved"),
    }


class AtTheEnd(Judge):
    def findings(self, trial: Trial, step: int) -> Iterable[Finding]:
        self.asked.append(step)
        if trial.loaded_all_steps:
            yield Finding(rule="AtTheEnd", step=step, tensor="x", message="over.", why="w", change="c")


def test_the_last_step_is_judged_once_more_when_it_is_known_to_be_the_last(run: RecordedRun) -> None:
    judge, live = AtTheEnd(), run.trial()
    evaluation = Evaluation(live, {"a": judge})
    evaluation.advance()
    live.end()
    evaluation.finish()
    assert judge.asked == [0, 1, 2, 2]
    assert [found.step for found in evaluation.judgements["a"].findings] == [2]
    once = AtTheEnd()
    ended = Evaluation(run.end().trial(), {"a": once})
    ended.advance()
    ended.finish()
    assert once.asked == [0, 1, 2]


class InModes(Judge):
    def findings(self, trial: Trial, step: int) -> Iterable[Finding]:
        for mode in ("TRAIN", "EVAL"):
            yield Finding(rule="InModes", step=step, mode=mode, tensor="x", message="bad.", why="w", change="c")


class InAnyMode(InModes):
    same_in_all_modes = True


def test_a_tensor_that_is_bad_in_both_modes_is_found_twice_unless_the_rule_says_it_is_the_same(
    run: RecordedRun,
) -> None:
    assert [f.mode for f in Evaluation(run.trial(), {"a": InModes()}).advance()] == ["TRAIN", "EVAL"]
    assert [f.mode for f in Evaluation(run.trial(), {"a": InAnyMode()}).advance()] == ["TRAIN"]


def test_silence_is_judged_by_those_who_watch_for_it(run: RecordedRun) -> None:
    evaluation = Evaluation(run.trial(), {"watching": Watching(), "plain": Judge()})
    assert evaluation.idle(10.0) == []
    assert [found.message for found in evaluation.idle(40.0)] == ["silence."]
    assert evaluation.idle(50.0) == []


def test_why_there_is_nothing(run: RecordedRun) -> None:
    assert without_data(run.trial()) == ""
    empty = RecordedRun()
    empty.note("the disk is full")
    assert "was due to be saved" in without_data(empty.end().trial())
    assert without_data(empty.trial()).endswith("The hook noted: the disk is full.")
