import pytest

from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.absence import has_none_of, has_other_activations, never_evaluated, without_classes
from sagehound.debug.rules.registry import build
from sagehound.debug.store.records import Facts
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun
from tests.debug.rules.recorded import LOSS, model_of


def of(*types: str) -> Trial:
    return RecordedRun(model_of(*((str(place), kind) for place, kind in enumerate(types)))).trial()


@pytest.mark.parametrize(
    ("types", "none", "others"), [((), False, False), (("Linear", "ReLU"), False, False), (("Linear",), True, False),
                                  (("Linear", "GELU"), True, True)],
)  # fmt: skip
def test_what_a_model_has(types: tuple[str, ...], none: bool, others: bool) -> None:
    assert (has_none_of(of(*types), ("ReLU",)), has_other_activations(of(*types), ("ReLU",))) == (none, others)


@pytest.mark.parametrize(
    ("rule", "types", "able"),
    [
        ("DeadRelu", ("Linear", "Tanh"), True),
        ("DeadRelu", ("Linear",), False),
        ("DeadRelu", ("Linear", "ReLU"), False),
        ("SaturatedActivation", ("Linear", "ReLU"), True),
        ("NLPSequenceRatio", ("Linear",), True),
        ("NLPSequenceRatio", ("Embedding",), False),
        ("CheckInputImages", ("Linear",), True),
        ("CheckInputImages", ("Conv2d",), False),
    ],
)
def test_a_rule_complains_of_what_was_not_saved_and_not_of_what_is_not_there(
    rule: str, types: tuple[str, ...], able: bool
) -> None:
    assert (build(rule).unable(of(*types)) == "") == able


def test_a_training_that_never_evaluates() -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0}, ModeKeys.GLOBAL)
    assert not never_evaluated(run.trial())
    run.save({LOSS: 1.0}, ModeKeys.TRAIN)
    assert never_evaluated(run.trial())
    run.save({LOSS: 1.0}, ModeKeys.EVAL)
    assert not never_evaluated(run.trial())


@pytest.mark.parametrize("rule", ["Labels", "Confusion", "ClassImbalance"])
def test_a_regression_has_no_classes(rule: str) -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0})
    assert build(rule).unable(run.trial()) and not without_classes(run.trial())
    run.save({LOSS: 1.0}, facts=Facts(loss="MSELoss"))
    assert build(rule).unable(run.trial()) == "" and without_classes(run.trial())
