import pytest

from sagehound.debug.config.save_config import SaveConfig, SaveConfigMode
from sagehound.debug.modes import ModeKeys
from sagehound.errors import DebuggerTypeError, DebuggerValueError

TRAIN, EVAL = ModeKeys.TRAIN, ModeKeys.EVAL


def steps(config: SaveConfig, mode: ModeKeys = TRAIN, up_to: int = 1001) -> list[int]:
    return [step for step in range(up_to) if config.should_save(mode, step)]


def test_every_500th_step_of_every_mode_by_default():
    assert all(steps(SaveConfig(), mode) == [0, 500, 1000] for mode in ModeKeys)


def test_the_end_is_not_saved_and_the_start_shifts_no_interval():
    assert steps(SaveConfig(save_interval=10, start_step=15, end_step=40)) == [20, 30]


def test_save_steps_override_the_interval():
    assert steps(SaveConfig(save_interval=100, save_steps=[7, 3])) == [3, 7]


def test_positional_arguments_are_the_originals():
    assert SaveConfigMode(5, 1, 20, [2]).to_json_dict() == {
        "save_interval": 5,
        "start_step": 1,
        "end_step": 20,
        "save_steps": [2],
    }


def test_a_mode_that_is_left_out_is_taken_from_below():
    own = SaveConfig({TRAIN: SaveConfigMode(save_interval=300)})
    both = own.over(SaveConfig(save_interval=400))
    assert (steps(both), steps(both, EVAL), steps(own, EVAL)) == ([0, 300, 600, 900], [0, 400, 800], [0, 500, 1000])


@pytest.mark.parametrize(
    "given",
    [
        SaveConfigMode(save_interval=300),
        {mode: SaveConfigMode(save_interval=300) for mode in ModeKeys},
        {mode: {"save_interval": "300"} for mode in ModeKeys},
        {mode.name: {"save_interval": 300} for mode in ModeKeys},
        SaveConfig(save_interval="300"),
    ],
)
def test_it_is_read_from_all_that_the_original_takes(given):
    assert SaveConfig.parse(given) == SaveConfig(save_interval=300)


def test_json_and_back():
    config = SaveConfig({EVAL: SaveConfigMode(save_steps=[1, 2], end_step=9)})
    assert SaveConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"save_interval": "ten"}, "save_interval 'ten' is not allowed: give a whole number, 1 or more"),
        ({"save_interval": 0}, "save_interval 0"),
        ({"save_interval": 2.5}, "save_interval 2.5"),
        ({"save_interval": True}, "save_interval True"),
        ({"start_step": -1}, "start_step -1 is not allowed: give a whole number, 0 or more"),
        ({"save_steps": [1, "x"]}, "save_steps 'x'"),
        ({"save_steps": "1,2"}, "save_steps '1,2' is no list"),
    ],
)
def test_a_bad_number_is_named(arguments, message):
    with pytest.raises(DebuggerValueError, match=message):
        SaveConfig(**arguments)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (10, DebuggerTypeError, "save_config 10 is none"),
        ({TRAIN: 10}, DebuggerTypeError, "10 is no SaveConfigMode"),
        ({"TRIAN": SaveConfigMode()}, DebuggerValueError, "'TRIAN' is no mode; there are TRAIN, EVAL, PREDICT, GLOBAL"),
        ({TRAIN: {"interval": 3}}, DebuggerValueError, "unknown parameter 'interval' .* save_interval"),
    ],
)
def test_what_is_no_configuration_is_refused(given, error, message):
    with pytest.raises(error, match=message):
        SaveConfig.parse(given)
