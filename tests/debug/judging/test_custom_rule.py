"""Users' own rules."""

import numpy as np
import pytest

from sagehound.debug.judging.custom_rule import RequiredTensors, Rule
from sagehound.debug.trial import Trial
from sagehound.errors import (
    DebuggerValueError,
    RuleEvaluationConditionMet,
    StepUnavailable,
    TensorUnavailable,
    TensorUnavailableForStep,
)
from sagehound.testing.recorded_run import RecordedRun, info

GRADIENTS = [info(f"gradient/Net_fc{n}.weight", "gradient") for n in (1, 2)]
LOSS = info("loss", "loss")


class CustomGradientRule(Rule):
    """As AWS's guide has it, word for word."""

    def __init__(self, base_trial, threshold=10.0):
        super().__init__(base_trial)
        self.threshold = float(threshold)

    def set_required_tensors(self, step):
        for tname in self.base_trial.tensor_names(collection="gradients"):
            self.req_tensors.add(name=tname, steps=[step])

    def invoke_at_step(self, step):
        for t in self.req_tensors.get():
            abs_mean = t.reduction_value(step, "mean", abs=True)
            if abs_mean > self.threshold:
                return True
        return False


@pytest.fixture
def run() -> RecordedRun:
    run = RecordedRun()
    for size in (1.0, 5.0, -20.0):
        run.save({GRADIENTS[0]: np.full(3, 0.1), GRADIENTS[1]: np.full(3, size), LOSS: 1.0}, skip=1)
    run.save({LOSS: 1.0}, skip=1)
    return run.end()


@pytest.fixture
def trial(run: RecordedRun) -> Trial:
    return run.trial()


def test_the_guides_example(trial: Trial) -> None:
    rule = CustomGradientRule(trial)
    rule.invoke(1)
    rule.invoke(3)
    with pytest.raises(RuleEvaluationConditionMet, match="rule CustomGradientRule at step 5 resulted") as met:
        rule.invoke(5)
    assert (met.value.rule_name, met.value.step) == ("CustomGradientRule", 5)
    with pytest.raises(RuleEvaluationConditionMet):
        CustomGradientRule(trial, threshold="4.5").invoke(3)


def test_a_step_without_what_is_required_is_not_judged(trial: Trial) -> None:
    with pytest.raises(TensorUnavailableForStep):
        CustomGradientRule(trial).invoke(7)
    with pytest.raises(StepUnavailable):
        CustomGradientRule(trial).invoke(2)


def test_required_tensors(trial: Trial) -> None:
    required = RequiredTensors(trial)
    required.add("gradient/", steps=[1, 3], should_match_regex=True)
    required.add("gradient/Net_fc1.weight", steps=(5,))
    assert required.get_names() == [each.name for each in GRADIENTS]
    assert [tensor.name for tensor in required.get()] == [each.name for each in GRADIENTS]
    assert required.get_tensor_steps(GRADIENTS[0].name) == [1, 3, 5]
    assert required.get_tensor_steps(GRADIENTS[1].name) == [1, 3]
    required.fetch()
    with pytest.raises(TensorUnavailable):
        required.add("nothing", steps=[1])
    required.clear()
    assert required.get() == []


def test_tensors_of_another_trial(trial: Trial, run: RecordedRun) -> None:
    other = run.trial()
    required = RequiredTensors(trial, [other])
    required.add("loss", steps=[7], trial=other)
    assert required.get() == []
    assert required.get_names(other) == ["loss"]
    required.fetch()
    with pytest.raises(DebuggerValueError, match="neither the rule's base_trial nor"):
        required.get(run.trial())


def test_no_trial_changes_while_a_step_is_judged(run: RecordedRun) -> None:
    seen = []

    class Looking(Rule):
        def invoke_at_step(self, step: int) -> bool:
            seen.extend(trial.dynamic_refresh for trial in self.trials)
            raise ValueError

    rule = Looking(run.trial(), "", [run.trial()])
    with pytest.raises(ValueError):
        rule.invoke(1)
    assert seen == [False, False]
    assert [trial.dynamic_refresh for trial in rule.trials] == [True, True]


def test_what_the_original_gives_a_rule_is_there(trial: Trial) -> None:
    rule = CustomGradientRule(trial)
    rule.logger.debug("in the rule's own words")
    assert rule.rule_name == "CustomGradientRule"
    assert rule.report["RuleTriggered"] == 0
    assert rule.other_trials is None
