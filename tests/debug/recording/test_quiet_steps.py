"""Steps at which nothing is saved are counted as well."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from sagehound.debug.config.collection import Collection
from sagehound.debug.config.save_config import SaveConfig, SaveConfigMode
from sagehound.debug.hook import Hook
from sagehound.debug.modes import ModeKeys, modes
from sagehound.debug.recording.current import set_current_hook
from sagehound.debug.recording.quiet_steps import LOOK_AHEAD
from tests.debug.hooked import Net, batch, train, trial


@pytest.fixture(autouse=True)
def _no_hook_left() -> Iterator[None]:
    set_current_hook(None)
    yield
    set_current_hook(None)


def _hook(folder: Path, model: nn.Module, save_config: object, **more: object) -> Hook:
    hook = Hook(folder / "t", save_config=save_config, include_collections=["losses", "biases"], **more)
    hook.register_module(model)
    hook.set_mode(modes.TRAIN)
    return hook


def _forwards(model: nn.Module, count: int) -> None:
    for step in range(count):
        model(batch(step)[0])


@pytest.mark.parametrize(
    ("config", "saved"),
    [
        (SaveConfig(save_interval=7), [0, 7, 14, 21]),
        (SaveConfig(save_steps=[2, 3, 17]), [2, 3, 17]),
        (SaveConfig(save_interval=4, start_step=5, end_step=16), [8, 12]),
        (SaveConfig(save_interval=1, start_step=22), [22, 23]),
    ],
)
def test_the_steps_that_were_asked_for_are_saved(tmp_path: Path, config: SaveConfig, saved: list[int]) -> None:
    model = Net()
    hook = _hook(tmp_path, model, config)
    train(model, 24, nn.functional.cross_entropy)
    assert hook.step == 23
    assert hook.mode_steps[modes.TRAIN] == 23
    found = trial(hook)
    assert found.steps(modes.TRAIN) == saved
    assert found.tensor("CrossEntropyLoss_output_0").steps(modes.TRAIN) == saved


def test_a_step_beyond_what_is_looked_ahead(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    last = 2 * LOOK_AHEAD + 3
    hook = _hook(tmp_path, model, SaveConfig(save_steps=[last]))
    for _ in range(last + 5):
        model(torch.ones(1, 2))
    assert hook.step == last + 4
    assert trial(hook).steps(modes.TRAIN) == [last]


def test_modes_that_take_turns_each_have_their_own_count(tmp_path: Path) -> None:
    model = Net()
    every = {modes.TRAIN: SaveConfigMode(save_interval=4), modes.EVAL: SaveConfigMode(save_interval=3)}
    hook = _hook(tmp_path, model, SaveConfig(every))
    for _ in range(3):
        hook.set_mode(modes.TRAIN)
        _forwards(model, 3)
        assert hook.mode is modes.TRAIN
        hook.set_mode(modes.EVAL)
        _forwards(model, 2)
    assert hook.mode_steps == {ModeKeys.GLOBAL: 14, ModeKeys.TRAIN: 8, ModeKeys.EVAL: 5}
    found = trial(hook)
    assert (found.steps(modes.TRAIN), found.steps(modes.EVAL)) == ([0, 4, 8], [0, 3])
    assert found.steps() == [0, 3, 6, 9, 12]


def test_a_scalar_within_steps_that_save_nothing_else(tmp_path: Path) -> None:
    model = Net()
    hook = _hook(tmp_path, model, SaveConfig(save_interval=10))
    for step in range(9):
        model(batch(step)[0])
        if step in (3, 4, 7):
            hook.save_scalar("seen", step)
    found = trial(hook)
    assert {step: value.item() for step, value in found.tensor("scalar/seen").values().items()} == {3: 3, 4: 4, 7: 7}


def test_a_tensor_of_a_collection_with_steps_of_its_own(tmp_path: Path) -> None:
    model = Net()
    hook = _hook(tmp_path, model, SaveConfig(save_interval=10))
    hook.add_collection(Collection("often", tensor_names=["x"], save_config=SaveConfig(save_interval=2)))
    for step in range(7):
        model(batch(step)[0])
        hook.save_tensor("x", torch.full((2,), float(step)), "often")
    assert trial(hook).tensor("x").steps() == [0, 2, 4, 6]


def test_labels_at_the_top_of_the_loop_belong_to_the_step_that_follows(tmp_path: Path) -> None:
    model = Net()
    hook = _hook(tmp_path, model, SaveConfig(save_interval=5))
    for step in range(7):
        hook.save_scalar("epoch", step)
        model(batch(step)[0])
    values = trial(hook).tensor("scalar/epoch").values()
    assert [value.item() for value in values.values()] == list(values) == [0, 1, 2, 3, 4, 5, 6]


def test_a_model_within_anothers_steps_and_one_that_takes_over(tmp_path: Path) -> None:
    first, second = Net(), nn.Linear(2, 1)
    hook = _hook(tmp_path, first, SaveConfig(save_interval=1000))
    hook.register_module(second)
    for step in range(4):
        first(batch(step)[0])
        second(torch.ones(1, 2))
        second(torch.ones(1, 2))
    assert hook.step == 3
    for _ in range(12):
        second(torch.ones(1, 2))
    assert hook.step > 3
    hook.close()


def test_a_collection_that_stops_does_not_stop_the_others(tmp_path: Path) -> None:
    model = Net()
    hook = _hook(tmp_path, model, SaveConfig(save_interval=3))
    _forwards(model, 2)
    hook.recording.prepare().stop(["losses"])
    _forwards(model, 5)
    assert trial(hook).steps(modes.TRAIN) == [0, 3, 6]


def test_optimizers_are_counted_at_quiet_steps_too(tmp_path: Path) -> None:
    model = Net()
    hook = _hook(tmp_path, model, SaveConfig(save_interval=6))
    train(model, 8, nn.functional.cross_entropy)
    found = trial(hook)
    facts = {step.step: step.facts for step in found.source.steps("worker_0")}
    assert [facts[step].optimizer_steps for step in (0, 6)] == [0, 6]
    assert [facts[step].learning_rates for step in (0, 6)] == [(0.1,), (0.1,)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_in_the_middle_is_noticed_at_its_first_step(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    hook = _hook(tmp_path, model, SaveConfig(save_interval=1000))
    for _ in range(3):
        model(torch.ones(1, 2))
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        sys.stderr = os.fdopen(write, "w", buffering=1)
        model(torch.ones(1, 2))
        os._exit(0 if hook.step == 2 else 1)
    os.close(write)
    assert os.waitpid(child, 0)[1] == 0
    with os.fdopen(read) as said:
        text = said.read()
    model(torch.ones(1, 2))
    assert hook.step == 3
    hook.close()
    assert "is a fork of" in text
