"""The debugger's losses in a profile, read from what the hook really writes."""

import json
from pathlib import Path

import pytest
from torch import nn

from sagehound.debug.config.save_config import SaveConfig
from sagehound.debug.hook import Hook
from sagehound.debug.modes import modes
from sagehound.debug.recording.current import set_current_hook
from sagehound.profile.profile import JobFacts
from sagehound.profile.profile_folder import read_profile
from sagehound.profile.saved_losses import SavedLosses
from tests.debug.hooked import Net, train


@pytest.fixture(autouse=True)
def _no_hook_left() -> None:
    set_current_hook(None)


def hook_on(folder: Path, model: nn.Module, loss: nn.Module) -> Hook:
    hook = Hook(folder, save_config=SaveConfig(save_interval=1), include_collections=["losses", "weights"])
    hook.register_module(model)
    hook.register_loss(loss)
    return hook


def test_the_losses_that_a_hook_saved_by_mode(tmp_path: Path) -> None:
    model, loss = Net(), nn.CrossEntropyLoss()
    hook = hook_on(tmp_path, model, loss)
    trained = train(model, 2, loss)
    hook.set_mode(modes.EVAL)
    evaluated = train(model, 1, loss)
    hook.close()
    saved = SavedLosses(tmp_path)
    saved.refresh()
    assert [(name, value) for _, name, value in saved.losses] == [
        ("CrossEntropyLoss_output_0 (loss, saved)", trained[0]),
        ("CrossEntropyLoss_output_0 (loss, saved)", trained[1]),
        ("CrossEntropyLoss_output_0 (eval loss, saved)", evaluated[0]),
    ]
    times = [at for at, _, _ in saved.losses]
    assert times == sorted(times) and times[0] > 1_700_000_000
    assert saved.problems == ()


def test_a_refresh_reads_only_what_is_new(tmp_path: Path) -> None:
    file = tmp_path / "manifest" / "worker_0" / "000000.jsonl"
    file.parent.mkdir(parents=True)
    layout = {"type": "layout", "number": 0, "tensors": [{"name": "mine", "kind": "custom", "collections": ["losses"]}]}
    lines = [json.dumps(layout), "{broken", json.dumps(step(0, 1.5))]
    file.write_text("\n".join(lines) + '\n{"type": "st')
    saved = SavedLosses(tmp_path)
    saved.refresh()
    assert saved.losses == [(100.0, "mine (train loss, saved)", 1.5)]
    file.write_text("\n".join([*lines, json.dumps(step(1, "nan"))]) + "\n")
    saved.refresh()
    assert [str(value) for _, _, value in saved.losses] == ["1.5", "nan"]
    assert saved.problems == ("1 lines of the debugger's manifest could not be read",)


def test_nothing_saved_is_no_error(tmp_path: Path) -> None:
    saved = SavedLosses(tmp_path / "none")
    saved.refresh()
    assert (saved.losses, saved.problems) == ([], ())


def test_printed_and_saved_losses_stand_side_by_side(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_text('{"name": "train:loss", "value": 2.0, "at": 100.0}\n')
    losses = [(101.0, "mine (train loss, saved)", 1.5)]
    profile = read_profile(tmp_path / "profile", JobFacts(name="job"), metrics, losses)
    assert profile.curves["name"].to_pylist() == ["train:loss", "mine (train loss, saved)"]


def step(number: int, value: float | str) -> dict[str, object]:
    found = {"step": number, "mode": "TRAIN", "mode_step": number, "layout": 0, "at": 100.0 + number}
    return {"type": "step", **found, "scalars": {"mine": value, "other": 3.0}}
