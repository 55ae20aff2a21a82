"""A training that goes on after it was interrupted."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from sagehound.debug.config.save_config import SaveConfig
from sagehound.debug.hook import Hook
from sagehound.debug.modes import modes
from sagehound.debug.recording.current import set_current_hook
from sagehound.debug.recording.resume import Checkpoints
from sagehound.errors import DebuggerValueError
from tests.debug.hooked import Net, opened, train, trial

EVERY = SaveConfig(save_interval=1)


@pytest.fixture(autouse=True)
def _no_hook_left() -> Iterator[None]:
    set_current_hook(None)
    yield
    set_current_hook(None)


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job's folder of checkpoints."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (tmp_path / "checkpointconfig.json").write_text(json.dumps({"LocalPath": str(folder), "S3Uri": "s3://b/c"}))
    monkeypatch.setenv("CHECKPOINT_CONFIG_FILE_PATH", str(tmp_path / "checkpointconfig.json"))
    return folder


def _trained(folder: Path, model: nn.Module, steps: int, resume: bool = False) -> Hook:
    hook = Hook(folder, save_config=EVERY, include_collections=["weights"], resume=resume)
    hook.register_module(model)
    hook.set_mode(modes.TRAIN)
    train(model, steps, nn.CrossEntropyLoss())
    return hook


def test_a_run_goes_on_in_its_folder_when_asked_to(tmp_path: Path) -> None:
    _trained(tmp_path / "t", Net(), 3).close()
    with pytest.raises(DebuggerValueError, match="resume=True"):
        Hook(tmp_path / "t")
    found = trial(_trained(tmp_path / "t", Net(), 2, resume=True))
    assert found.steps(modes.TRAIN) == [0, 1, 2, 3, 4]
    assert found.tensor("Net_fc.weight").value(1).shape == (5, 4)


def test_resuming_nothing_begins_at_the_beginning(tmp_path: Path) -> None:
    assert trial(_trained(tmp_path / "t", Net(), 2, resume=True)).steps() == [0, 1]


def test_counters_go_on_from_the_checkpoint(tmp_path: Path, checkpoints: Path) -> None:
    hook = _trained(tmp_path / "first", model := Net(), 2)
    torch.save(model.state_dict(), checkpoints / "model.pt")
    hook.recording.checkpoints.look(hook.recording.counts, now=True)
    train(model, 3, nn.CrossEntropyLoss())
    hook.close()
    state = json.loads((checkpoints / "metadata.json").read_text())[-1]
    assert state["latest-global-step-seen"] == 1
    assert state["latest-mode-step"] == {"GLOBAL": 1, "TRAIN": 1}
    set_current_hook(None)
    assert trial(_trained(tmp_path / "second", Net(), 2)).steps(modes.TRAIN) == [2, 3]
    set_current_hook(None)
    _trained(tmp_path / "first", Net(), 1).close()
    assert opened(tmp_path / "first").steps(modes.TRAIN) == [0, 1, 2, 3, 4]


def test_the_originals_own_state_is_read(checkpoints: Path) -> None:
    (checkpoints / "model.pt").touch()
    state = {"training-run": 1, "latest-global-step-saved": 40, "latest-global-step-seen": 45}
    states = [state | {"latest-mode-step": {"GLOBAL": 45, "TRAIN": 30, "EVAL": 14}}]
    (checkpoints / "metadata.json").write_text(json.dumps(states))
    assert Checkpoints().restored() == {modes.GLOBAL: 45, modes.TRAIN: 30, modes.EVAL: 14}


@pytest.mark.parametrize("text", ["", "[]", "{", '[{"latest-mode-step": 3}]'])
def test_a_state_that_cannot_be_read_is_none(checkpoints: Path, text: str) -> None:
    (checkpoints / "model.pt").touch()
    (checkpoints / "metadata.json").write_text(text)
    assert Checkpoints().restored() is None


def test_no_checkpoints_no_state(checkpoints: Path) -> None:
    (checkpoints / "metadata.json").write_text("[]")
    assert Checkpoints().restored() is None
