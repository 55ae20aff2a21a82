"""The whole surface of a trial, over a run made up in memory."""

import numpy as np
import pytest

from sagehound.debug.modes import ModeKeys
from sagehound.debug.reading.saved_steps import StepState
from sagehound.debug.store.records import Facts
from sagehound.debug.trial import Trial
from sagehound.errors import DebuggerValueError, NoMoreData, StepNotYetAvailable, StepUnavailable, TensorUnavailable
from sagehound.testing.recorded_run import RecordedRun, info

WEIGHT = info("Net_fc.weight", "weight", module="fc", module_type="Linear")
GRADIENT = info("gradient/Net_fc.weight", "gradient", module="fc", module_type="Linear")
LOSS = info("CrossEntropyLoss_output_0", "loss")
TRAIN, EVAL, GLOBAL = ModeKeys.TRAIN, ModeKeys.EVAL, ModeKeys.GLOBAL


@pytest.fixture
def run() -> RecordedRun:
    """Global steps 0 and 10 train, 11 evaluates, 21 trains: each tenth step of a mode is saved."""
    run = RecordedRun(collections=("weights", "gradients", "losses", "relus"))
    run.save({WEIGHT: np.zeros((2, 3)), GRADIENT: np.ones((2, 3)), LOSS: 3.0})
    run.save({WEIGHT: np.ones((2, 3)), GRADIENT: np.ones((2, 3)), LOSS: 2.0}, skip=9)
    run.save({LOSS: 2.5}, mode=EVAL, facts=Facts(training=False))
    run.save({WEIGHT: np.ones((2, 3)), GRADIENT: np.ones((2, 3)), LOSS: 1.0}, skip=9)
    return run


def test_steps_count_in_each_mode(run: RecordedRun) -> None:
    trial = run.trial()
    assert trial.steps() == [0, 10, 11, 21]
    assert trial.steps(mode=TRAIN) == [0, 10, 20]
    assert trial.steps(EVAL) == [0]
    assert trial.steps(ModeKeys.PREDICT) == []
    assert list(trial.modes()) == [TRAIN, EVAL]


def test_a_step_is_known_by_both_of_its_numbers(run: RecordedRun) -> None:
    trial = run.trial()
    assert [trial.mode(step) for step in (0, 11, 21)] == [TRAIN, EVAL, TRAIN]
    assert [trial.mode_step(step) for step in (0, 11, 21)] == [0, 0, 20]
    assert trial.global_step(TRAIN, 20) == 21
    assert trial.global_step(EVAL, 0) == 11
    assert trial.global_step(GLOBAL, 21) == 21
    assert (trial.mode(5), trial.mode_step(5), trial.global_step(TRAIN, 5)) == (None, None, None)


def test_names_by_step_mode_regex_and_collection(run: RecordedRun) -> None:
    trial = run.trial()
    everything = [LOSS.name, WEIGHT.name, GRADIENT.name]
    assert trial.tensor_names() == everything
    assert trial.tensor_names(step=11) == [LOSS.name]
    assert trial.tensor_names(step=0, mode=EVAL) == [LOSS.name]
    assert trial.tensor_names(step=20, mode=TRAIN) == everything
    assert trial.tensor_names(step=5) == []
    assert trial.tensor_names(mode=EVAL) == [LOSS.name]
    assert trial.tensor_names(mode=ModeKeys.PREDICT) == []
    assert trial.tensor_names(regex="weight") == [WEIGHT.name, GRADIENT.name]
    assert trial.tensor_names(regex=["^Net", "Loss"]) == [LOSS.name, WEIGHT.name]
    assert trial.tensor_names(collection="gradients") == [GRADIENT.name]
    assert trial.tensor_names(collection=trial.collections()["losses"], mode=EVAL) == [LOSS.name]
    assert trial.tensor_names(collection="relus") == trial.tensor_names(collection="nonsense") == []


def test_a_bad_regex_is_named(run: RecordedRun) -> None:
    with pytest.raises(DebuggerValueError, match=r"regex '\(' is no regular expression"):
        run.trial().tensor_names(regex="(")


def test_nothing_of_that_name_is_said_once(run: RecordedRun, caplog: pytest.LogCaptureFixture) -> None:
    trial = run.trial()
    for _ in range(3):
        trial.tensor_names(collection="relus")
    assert caplog.messages == ["recorded: no tensor of the collection 'relus' was saved"]


def test_collections_hold_the_names_that_were_saved(run: RecordedRun) -> None:
    collections = run.trial().collections()
    assert {name: sorted(one.tensor_names) for name, one in collections.items()} == {
        "weights": [WEIGHT.name],
        "gradients": [GRADIENT.name],
        "losses": [LOSS.name],
        "relus": [],
    }
    assert run.trial().collection("nonsense") is None


def test_tensors_by_name(run: RecordedRun) -> None:
    trial = run.trial()
    assert trial.has_tensor(LOSS.name)
    assert not trial.has_tensor("Net_fc.bias")
    assert trial.tensor(LOSS.name).name == LOSS.name
    assert trial.info(WEIGHT.name).module_type == "Linear"
    with pytest.raises(TensorUnavailable, match=r"Net_fc.bias was not saved. 3 were, e.g. CrossEntropyLoss_output_0"):
        trial.tensor("Net_fc.bias")
    with pytest.raises(TensorUnavailable, match="nothing was, up to now"):
        RecordedRun().trial().tensor("Net_fc.bias")


def test_what_can_be_said_of_a_step(run: RecordedRun) -> None:
    trial = run.trial()
    said = {step: trial.has_passed_step(step) for step in (0, 5, 21, 22)}
    assert said == {
        0: StepState.AVAILABLE,
        5: StepState.UNAVAILABLE,
        21: StepState.AVAILABLE,
        22: StepState.NOT_YET_AVAILABLE,
    }
    assert trial.has_passed_step(20, mode=TRAIN) is StepState.AVAILABLE
    assert trial.has_passed_step(1, mode=EVAL) is StepState.NOT_YET_AVAILABLE
    run.end()
    trial.refresh_data()
    assert trial.has_passed_step(22) is StepState.UNAVAILABLE


def test_a_step_that_is_not_there_says_which_kind_of_not(run: RecordedRun) -> None:
    trial = run.trial()
    with pytest.raises(StepUnavailable, match=r"step 5 of mode GLOBAL was not saved; steps\(mode=modes.GLOBAL\) lists"):
        trial.tensor(LOSS.name).value(5)
    with pytest.raises(StepNotYetAvailable, match="has not come to step 30 of mode TRAIN"):
        trial.tensor(LOSS.name).value(30, mode=TRAIN)
    run.end()
    trial.refresh_data()
    with pytest.raises(StepUnavailable, match="no step 30 of mode TRAIN: the training ended with step 20"):
        trial.tensor(LOSS.name).value(30, mode=TRAIN)
    with pytest.raises(NoMoreData, match="no step 30 of mode TRAIN: the training ended with step 20"):
        trial.wait_for_steps([20, 30], mode=TRAIN)
    with pytest.raises(NoMoreData, match="counted no step of that mode"):
        trial.wait_for_steps([0], mode=ModeKeys.PREDICT)


def test_a_live_trial_sees_what_is_saved_later(run: RecordedRun) -> None:
    trial = run.trial()
    run.save({info("late", "custom"): 1.0, LOSS: 0.5})
    assert trial.has_tensor("late")
    assert trial.steps() == [0, 10, 11, 21, 22]
    assert not trial.loaded_all_steps
    trial.dynamic_refresh = False
    run.save({LOSS: 0.4}, mode=EVAL)
    assert trial.steps() == trial.tensor(LOSS.name).steps() == [0, 10, 11, 21, 22]
    trial.dynamic_refresh = True
    assert trial.tensor(LOSS.name).steps() == [0, 10, 11, 21, 22, 23]


def test_waiting_returns_when_the_steps_are_there(run: RecordedRun) -> None:
    waits = []

    def asleep(seconds: float) -> None:
        waits.append(seconds)
        run.save({LOSS: 0.1}) if len(waits) < 3 else run.end()

    trial = Trial(run, sleep=asleep)
    trial.dynamic_refresh = False  # waiting looks for news all the same
    trial.wait_for_steps([0, 22, 23])
    assert len(waits) == 2
    assert not trial.dynamic_refresh
    with pytest.raises(StepUnavailable):
        trial.wait_for_steps([5])
    with pytest.raises(NoMoreData):
        trial.wait_for_steps([40])


def test_a_range_of_steps_is_all_that_is_seen(run: RecordedRun) -> None:
    trial = Trial(run, range_steps=(10, 21))
    assert trial.steps() == [10, 11]
    assert trial.steps(TRAIN) == [10]
    assert Trial(run, range_steps=(None, 10)).tensor_names(mode=EVAL) == []
    assert Trial(run, range_steps=(11, None)).tensor(WEIGHT.name).steps() == [21]
    with pytest.raises(StepUnavailable, match=r"outside the trial's range_steps \(10, 21\)"):
        trial.tensor(LOSS.name).value(0)


def test_facts_model_notes_and_what_a_step_holds(run: RecordedRun) -> None:
    trial = run.trial()
    assert trial.facts(11).training is False
    assert trial.facts(0) == trial.facts(5) == Facts()
    assert [each.name for each in trial.infos(11)] == [LOSS.name]
    assert trial.infos(5) == []
    run.note("labels were densified")
    assert [note.text for note in trial.notes] == ["labels were densified"]
    assert trial.model.root == ""


def test_it_describes_itself(run: RecordedRun) -> None:
    assert repr(run.trial()) == "<Trial recorded: 3 tensors, 4 saved steps, still running>"
    assert repr(run.end().trial()) == "<Trial recorded: 3 tensors, 4 saved steps>"


def test_a_trial_may_be_taken_to_have_ended(run: RecordedRun) -> None:
    trial = run.trial()
    run.save({LOSS: 0.1})
    trial.end()
    assert trial.loaded_all_steps
    assert trial.steps() == [0, 10, 11, 21, 22]
    assert trial.has_passed_step(99) is StepState.UNAVAILABLE
