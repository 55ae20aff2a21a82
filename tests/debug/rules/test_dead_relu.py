import numpy as np
import pytest

from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.dead_relu import DeadRelu
from sagehound.debug.rules.registry import build
from sagehound.testing.recorded_run import RecordedRun, info
from tests.debug.rules.recorded import at_each_step, model_of, noise, output, tensors_found, trial_of

RULE = DeadRelu()


def relu(samples: int, units: int, dead: int) -> np.ndarray:
    """Features of which the first `dead` are never active."""
    array = np.maximum(noise(samples, units), 0)
    array[:, :dead] = 0
    return array


@pytest.mark.parametrize(("dead", "times"), [(5, 0), (6, 1)])
def test_more_than_half_of_the_units_dead(dead: int, times: int) -> None:
    found = at_each_step(RULE, trial_of({output(): relu(128, 10, dead)}))
    assert len(found) == times
    assert all(one.numbers["dead_percent"] == pytest.approx(60) and one.module == "relu1" for one in found)


def test_the_message_has_numbers_and_limits() -> None:
    (found,) = at_each_step(RULE, trial_of({output(): relu(128, 10, 8)}))
    assert found.message == (
        "80 % of the units of relu1_output_0 are active in less than 1 % of what they see; the limit is 50 %."
    )
    assert "nn.LeakyReLU(0.01) in place of relu1" in found.change


def test_a_unit_that_is_active_often_enough_lives() -> None:
    array = np.zeros((200, 4), np.float32)
    array[:2] = 1
    assert at_each_step(RULE, trial_of({output(): array})) == []
    array[1] = 0
    assert len(at_each_step(RULE, trial_of({output(): array}))) == 1


def test_a_small_batch_is_judged_with_those_before_it() -> None:
    """In one batch of 32 a unit may have had no occasion."""
    batch = {output(): relu(32, 10, 9)}
    assert [found.step for found in at_each_step(RULE, trial_of(*[batch] * 4))] == [3]
    assert "100 samples or places are needed" in RULE.unable(trial_of(*[batch] * 3))
    alive = {output(): relu(32, 10, 0)}
    assert at_each_step(RULE, trial_of(alive, *[batch] * 3)) == []


def test_batches_of_other_modes_do_not_count() -> None:
    run = RecordedRun()
    for mode in (ModeKeys.TRAIN, ModeKeys.EVAL) * 2:
        run.save({output(): relu(64, 10, 9)}, mode=mode)
    assert [(found.mode, found.step) for found in at_each_step(RULE, run.trial())] == [("TRAIN", 1), ("EVAL", 1)]


def test_after_a_convolution_a_unit_is_a_channel() -> None:
    maps = np.maximum(noise(4, 6, 9, 9), 0)
    maps[:, :4] = 0
    (found,) = at_each_step(RULE, trial_of({output(): maps}))
    assert found.numbers["dead_percent"] == pytest.approx(100 * 4 / 6)


@pytest.mark.parametrize(("before", "times"), [("Linear", 1), ("Conv1d", 0)])
def test_three_axes_follow_the_layer_before(before: str, times: int) -> None:
    sequence = np.maximum(noise(30, 8, 10), 0)
    sequence[:, :, :8] = 0
    model = model_of(("", "Net"), ("first", before), ("relu1", "ReLU"))
    assert len(at_each_step(RULE, trial_of({output(): sequence}, model=model))) == times


def test_other_activations_do_not_die() -> None:
    tensors = {output("a", "LeakyReLU"): relu(128, 10, 10), output("relu_block", "Sequential"): relu(128, 10, 10)}
    trial = trial_of(tensors)
    assert at_each_step(RULE, trial) == []
    assert "F.relu" in RULE.unable(trial)


def test_patterns_narrow_and_add_what_the_script_saved() -> None:
    dead = relu(128, 10, 10)
    saved = info("hidden_relu", "custom")
    trial = trial_of({output(): dead, output("relu2"): dead, saved: dead})
    assert tensors_found(RULE, trial) == ["relu1_output_0", "relu2_output_0"]
    assert tensors_found(build("DeadRelu", {"tensor_regex": "relu2,hidden"}), trial) == [
        "relu2_output_0",
        "hidden_relu",
    ]


@pytest.mark.parametrize("regex", [".*relu_output", ".*relu_output|.*ReLU_output"])
def test_the_guides_patterns_mean_every_relu(regex: str) -> None:
    trial = trial_of({output(): relu(128, 10, 10)})
    assert tensors_found(build("DeadRelu", {"tensor_regex": regex}), trial) == ["relu1_output_0"]


def test_thresholds_as_text() -> None:
    rule = build("DeadRelu", {"threshold_inactivity": "5.0", "threshold_layer": "20"})
    assert len(at_each_step(rule, trial_of({output(): relu(20, 10, 3)}))) == 1


def test_reductions_tell_of_a_layer_that_is_all_dead() -> None:
    trial = trial_of({output("a", shape=(8, 4)): {"max": 0.0}, output("b", shape=(8, 4)): {"max": 1.0}})
    assert tensors_found(RULE, trial) == ["a_output_0"]
    assert "not as reductions" in RULE.unable(trial_of({output(shape=(8, 4)): {"mean": 1.0}}))


def test_nan_is_not_dead_and_odd_shapes_are_let_pass() -> None:
    tensors = {
        output("a"): np.full((128, 3), np.nan, np.float32),
        output("b"): np.zeros((0, 3), np.float32),
        output("c"): 0.0,
        output("d"): np.zeros(5, np.float32),
    }
    assert at_each_step(RULE, trial_of(tensors)) == []
