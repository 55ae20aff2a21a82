"""Models that are compiled, before or after they are registered, or by nobody's registering."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch._dynamo
import torch._dynamo.testing
from torch import nn

from sagehound.debug.automatic import install_with
from sagehound.debug.config.hook_config import HookConfig
from sagehound.debug.config.save_config import SaveConfig
from sagehound.debug.hook import Hook
from sagehound.debug.recording.current import current_hook, set_current_hook
from tests.debug.hooked import Net, train, trial


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    torch._dynamo.reset()
    set_current_hook(None)
    yield
    hook = current_hook()
    if hook is not None:
        hook._release()
    set_current_hook(None)
    torch._dynamo.reset()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("save_all", [False, True])
@pytest.mark.parametrize("how", ["registered first", "compiled first", "in place", "in place first", "by nobody"])
def test_a_compiled_model(tmp_path: Path, how: str, save_all: bool) -> None:
    backend = torch._dynamo.testing.CompileCounterWithBackend("eager")
    config = HookConfig.from_arguments(
        out_dir=str(tmp_path / "t"),
        save_config=SaveConfig(save_interval=2),
        include_collections=["weights", "gradients"],
        save_all=save_all,
    )
    hook = install_with(config) if how == "by nobody" else Hook.from_config(config)
    torch.manual_seed(0)
    model: nn.Module = Net()
    called = model
    if how in ("registered first", "in place"):
        hook.register_module(model)
    if how.startswith("in place"):
        model.compile(backend=backend, fullgraph=True)
    else:
        called = torch.compile(model, backend=backend, fullgraph=True)  # type: ignore[assignment]
    if how in ("compiled first", "in place first"):
        hook.register_module(called)
    train(called, 5, nn.CrossEntropyLoss())
    found = trial(hook)
    assert backend.frame_count == 1
    assert found.steps() == [0, 2, 4]
    assert {"Net_fc.weight", "gradient/Net_fc.weight", "CrossEntropyLoss_output_0"} <= set(found.tensor_names(step=4))
    assert ("relu_output_0" in found.tensor_names(step=2)) == save_all
    assert any("compiled" in note.text for note in found.notes) == save_all
