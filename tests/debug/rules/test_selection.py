import pytest

from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.selection import (
    chosen,
    chosen_at_some_step,
    of_layers,
    parameters_left_alone,
    trains,
    untrained,
    updated_between,
)
from sagehound.debug.store.records import Facts, Model, ParameterInfo
from sagehound.testing.recorded_run import RecordedRun, info
from tests.debug.rules.recorded import LOSS, gradient, layer_input, model_of, noise, output, trial_of, weight

TENSORS = {weight(): noise(3), gradient(): noise(3), LOSS: 1.0, output(): noise(3), layer_input(): noise(3)}


@pytest.mark.parametrize(
    ("collections", "regexes", "names"),
    [
        (("weights",), (), ["Net_fc.weight"]),
        (("weights",), ("relu1_output",), ["Net_fc.weight", "relu1_output_0"]),
        (("all",), (), [each.name for each in TENSORS]),
        ((), ("^Net", "Loss"), ["Net_fc.weight", LOSS.name]),
        ((), (), []),
    ],
)
def test_the_union_of_collections_and_patterns(
    collections: tuple[str, ...], regexes: tuple[str, ...], names: list[str]
) -> None:
    trial = trial_of(TENSORS)
    assert [each.name for each in chosen(trial, 0, collections, regexes)] == names
    assert (chosen_at_some_step(trial, collections, regexes) == "") is bool(names)


def test_layers_are_found_by_type_and_narrowed_by_name() -> None:
    trial = trial_of(TENSORS)
    assert [each.name for each in of_layers(trial, 0, "output", ("ReLU",))] == ["relu1_output_0"]
    assert of_layers(trial, 0, "output", ("ReLU",), ("relu2",)) == []
    assert of_layers(trial, 0, "output", ("Tanh",), ("relu1",)) == []


def test_a_tensor_of_an_unknown_module_is_taken_by_its_name_alone() -> None:
    tensors = {output("a", ""): noise(3), layer_input("a", ""): noise(3), info("a_saved", "custom"): noise(3)}
    trial = trial_of(tensors)
    assert of_layers(trial, 0, "output", ("ReLU",)) == []
    assert [each.name for each in of_layers(trial, 0, "output", ("ReLU",), ("^a",))] == ["a_output_0", "a_saved"]


def test_what_is_meant_to_stay() -> None:
    assert parameters_left_alone(trial_of(TENSORS)) == set()
    assert parameters_left_alone(trial_of(model=model_of(frozen=["a"]))) == {"a"}
    assert parameters_left_alone(trial_of(model=model_of(frozen=["a"], optimized=["b"]))) == {"a"}
    unknown = Model(parameters=(ParameterInfo(name="c"),))
    assert parameters_left_alone(trial_of(model=unknown)) == set()


def test_steps_that_train() -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0}, mode=ModeKeys.GLOBAL)
    run.save({LOSS: 1.0}, mode=ModeKeys.EVAL)
    run.save({LOSS: 1.0}, facts=Facts(grad_enabled=False))
    run.save({LOSS: 1.0}, facts=Facts(grad_enabled=True))
    assert [trains(run.trial(), step) for step in range(5)] == [True, False, False, True, False]


def test_before_the_first_update() -> None:
    run = RecordedRun()
    for facts in (None, None, Facts(optimizer_steps=0), Facts(optimizer_steps=1)):
        run.save({info("x"): 1.0}, facts=facts)
    assert [untrained(run.trial(), step) for step in range(4)] == [True, False, True, False]


@pytest.mark.parametrize(
    ("before", "after", "updated"),
    [
        (Facts(), Facts(optimizer_steps=3), True),
        (Facts(optimizer_steps=3), Facts(optimizer_steps=3), False),
        (Facts(optimizer_steps=3), Facts(optimizer_steps=4), True),
        (Facts(optimizer_steps=3, learning_rates=(0.0, 0.0)), Facts(optimizer_steps=4), False),
        (Facts(optimizer_steps=3, learning_rates=(0.0,)), Facts(optimizer_steps=5), True),
    ],
)
def test_an_update_between_two_steps(before: Facts, after: Facts, updated: bool) -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0}, facts=before)
    run.save({LOSS: 1.0}, facts=after)
    assert updated_between(run.trial(), 0, 1) is updated
