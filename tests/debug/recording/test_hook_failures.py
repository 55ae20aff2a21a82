"""What goes wrong in the hook is said, and changes nothing in the training."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sagehound.debug.config.save_config import SaveConfig
from sagehound.debug.hook import Hook
from sagehound.debug.recording.current import set_current_hook
from tests.debug.hooked import Net, batch, opened, train, trial

EVERY = SaveConfig(save_interval=1)


@pytest.fixture(autouse=True)
def _no_hook_left() -> Iterator[None]:
    set_current_hook(None)
    yield
    set_current_hook(None)


def _losses_without_hook(steps: int) -> list[float]:
    torch.manual_seed(0)
    return train(Net(), steps, nn.CrossEntropyLoss())


def _losses_with(hook: Hook, steps: int) -> list[float]:
    torch.manual_seed(0)
    model = Net()
    hook.register_module(model)
    return train(model, steps, nn.CrossEntropyLoss())


def test_a_folder_that_cannot_be_made_any_more(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    hook = Hook(tmp_path / "file" / "t", save_config=EVERY, save_all=True)
    (tmp_path / "file").touch()
    assert _losses_with(hook, 6) == _losses_without_hook(6)
    hook.close()
    said = capfd.readouterr().err
    assert "is a file" in said and said.count("sagehound") == 1


def test_a_disk_that_is_full(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """As the kernel says it: a file may not grow beyond 2,000 bytes."""
    hook = Hook(tmp_path / "t", save_config=EVERY, save_all=True)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        losses = _losses_with(hook, 6)
        hook.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    assert losses == _losses_without_hook(6)
    assert "File too large" in capfd.readouterr().err


class _Odd(torch.Tensor):
    """A tensor that cannot be copied."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.Tensor.detach:
            raise RuntimeError("an odd tensor is not detached")
        return super().__torch_function__(func, types, args, kwargs or {})


def test_a_tensor_that_cannot_be_copied_stops_its_collection(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(2, 2)
            self.odd = nn.Identity()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.odd(torch.ones(2).as_subclass(_Odd))
            return self.fc(x)

    hook = Hook(tmp_path / "t", save_config=EVERY, include_collections=["odd", "weights"])
    hook.get_collection("odd").include("odd_output", "fc_output")
    hook.register_module(model := Model())
    for _ in range(3):
        model(torch.ones(1, 2))
    found = trial(hook)
    assert found.tensor("Model_fc.weight").steps() == [0, 1, 2]
    assert "fc_output_0" not in found.tensor_names()
    cause = "collection odd stopped at step 0: an odd tensor is not detached"
    assert capfd.readouterr().err == f"sagehound.debug: {cause}\n"
    assert [note.text for note in found.notes] == [cause]


def test_meta_tensors_are_left_out_with_a_note(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    hook = Hook(tmp_path / "t", save_config=EVERY, save_all=True)
    hook.register_module(model := nn.Linear(2, 2, device="meta"))
    model(torch.ones(1, 2, device="meta"))
    hook.save_scalar("x", 1)
    found = trial(hook)
    assert found.tensor_names() == ["scalar/x"]
    assert any("meta tensor has no values" in note.text for note in found.notes)
    assert capfd.readouterr().err == ""


def test_a_collection_that_names_nothing_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    hook = Hook(tmp_path / "t", save_config=EVERY, include_collections=["relus", "weights"])
    hook.register_module(model := Net())
    train(model, 1, nn.CrossEntropyLoss())
    found = trial(hook)
    assert "relus" in capfd.readouterr().err
    assert "Net_fc.weight" in found.tensor_names()


def test_a_value_that_is_none_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    hook = Hook(tmp_path / "t")
    hook.save_tensor("x", object())
    hook.save_tensor("y", "text")
    assert capfd.readouterr().err.count("saved nothing") == 2
    hook.close()


_CRASHES = """
import sys
import torch
from torch import nn
from sagehound.debug.hook import Hook
from sagehound.debug.config.save_config import SaveConfig
model = nn.Linear(2, 1)
hook = Hook(sys.argv[1], save_config=SaveConfig(save_interval=1), include_collections=["weights"])
hook.register_module(model)
for step in range(3):
    model(torch.ones(1, 2)).sum().backward()
raise RuntimeError("the script's own fault")
"""


def test_a_script_that_crashes_keeps_what_was_saved(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _CRASHES, str(tmp_path / "t")], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1 and "own fault" in run.stderr
    found = opened(tmp_path / "t")
    assert found.tensor("Linear_weight").steps() == [0, 1, 2]
    assert found.loaded_all_steps


def test_a_forked_child_leaves_its_parents_tensors_alone(tmp_path: Path) -> None:
    hook = Hook(tmp_path / "t", save_config=EVERY, include_collections=["weights"])
    hook.register_module(model := nn.Linear(2, 1))
    model(torch.ones(1, 2))
    child = os.fork()
    if not child:
        with torch.no_grad():
            model(torch.ones(1, 2))
            hook.save_scalar("x", 1)
        hook.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    model(torch.ones(1, 2))
    found = trial(hook)
    assert found.tensor("Linear_weight").steps() == [0, 1]
    assert found.tensor_names() == ["Linear_weight"]


def test_nothing_is_left_behind_after_close(tmp_path: Path) -> None:
    model = Net()
    code = torch.nn.functional.cross_entropy.__code__
    hook = Hook(tmp_path / "t", save_config=EVERY, save_all=True)
    hook.register_module(model)
    assert torch.nn.functional.cross_entropy.__code__ is not code
    model(batch(0)[0])
    hook.close()
    assert torch.nn.functional.cross_entropy.__code__ is code
    for module in model.modules():
        assert not module._forward_hooks and not module._forward_pre_hooks
    assert not any(p._backward_hooks for p in model.parameters())
