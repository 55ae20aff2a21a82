"""The hook on small trainings: names, steps, modes, values."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sagehound.debug.config.collection import Collection
from sagehound.debug.config.reduction_config import ReductionConfig
from sagehound.debug.config.save_config import SaveConfig, SaveConfigMode
from sagehound.debug.hook import Hook
from sagehound.debug.modes import modes
from sagehound.debug.recording.current import set_current_hook
from sagehound.errors import DebuggerTypeError, DebuggerValueError, TensorUnavailableForStep
from tests.debug.hooked import Net, batch, train, trial

EVERY = SaveConfig(save_interval=1)


@pytest.fixture(autouse=True)
def _no_hook_left() -> None:
    set_current_hook(None)


def test_tensors_are_named_as_in_the_original(tmp_path: Path) -> None:
    model, loss = Net(), nn.CrossEntropyLoss()
    hook = Hook(tmp_path / "t", save_config=EVERY, save_all=True)
    hook.register_module(model)
    hook.register_loss(loss)
    train(model, 1, loss)
    names = set(trial(hook).tensor_names())
    parameters = {f"Net_{name}" for name, _ in model.named_parameters()}
    modules = {f"{path}_{end}_0" for path in ("conv", "relu", "drop", "fc", "Net") for end in ("input", "output")}
    losses = {"CrossEntropyLoss_input_0", "CrossEntropyLoss_input_1", "CrossEntropyLoss_output_0"}
    assert parameters | {f"gradient/{name}" for name in parameters} | modules | losses <= names
    assert {name for name in names if not name.startswith("optimizer/")} == (
        parameters | {f"gradient/{name}" for name in parameters} | modules | losses
    )


def test_weights_are_those_of_the_forward_and_gradients_those_of_its_backward(tmp_path: Path) -> None:
    model, loss = Net(), nn.CrossEntropyLoss()
    before = model.fc.weight.detach().clone()
    hook = Hook(tmp_path / "t", save_config=EVERY, include_collections=["weights", "gradients"])
    hook.register_module(model)
    losses = train(model, 2, loss)
    found = trial(hook)
    weights = found.tensor("Net_fc.weight").values()
    gradient = found.tensor("gradient/Net_fc.weight").value(0)
    assert np.array_equal(weights[0], before.numpy())
    assert np.allclose(weights[1], weights[0] - 0.1 * gradient, atol=1e-7)
    assert [found.tensor("CrossEntropyLoss_output_0").value(s).item() for s in (0, 1)] == losses


def test_the_training_is_the_same_bit_for_bit(tmp_path: Path) -> None:
    results = []
    for hooked in (False, True):
        torch.manual_seed(3)
        model, loss = Net(), nn.CrossEntropyLoss()
        if hooked:
            hook = Hook(tmp_path / "t", save_config=SaveConfig(save_interval=2), save_all=True)
            hook.register_module(model)
            hook.register_loss(loss)
        losses = train(model, 5, loss)
        results.append((losses, [p.detach().clone() for p in model.parameters()], torch.get_rng_state()))
    hook.close()
    assert results[0][0] == results[1][0]
    assert all(torch.equal(a, b) for a, b in zip(results[0][1], results[1][1], strict=True))
    assert torch.equal(results[0][2], results[1][2])


def test_each_mode_counts_its_own_steps_and_is_saved_by_its_own_interval(tmp_path: Path) -> None:
    model, loss = Net(), nn.CrossEntropyLoss()
    config = SaveConfig({modes.TRAIN: SaveConfigMode(save_interval=3), modes.EVAL: SaveConfigMode(save_interval=2)})
    hook = Hook(tmp_path / "t", save_config=config, include_collections=["gradients"])
    hook.register_module(model)
    hook.register_loss(loss)
    for _ in range(2):
        hook.set_mode(modes.TRAIN)
        train(model, 4, loss)
        hook.set_mode(modes.EVAL)
        train(model, 3, loss)
    found = trial(hook)
    assert found.steps(modes.TRAIN) == [0, 3, 6]
    assert found.steps(modes.EVAL) == [0, 2, 4]
    assert found.steps() == [0, 3, 4, 6, 9, 12]
    assert found.tensor("gradient/Net_fc.bias").steps(modes.TRAIN) == [0, 3, 6]
    assert "gradient/Net_fc.bias" not in found.tensor_names(mode=modes.EVAL)


def test_without_a_mode_steps_are_global(tmp_path: Path) -> None:
    model = Net()
    hook = Hook(tmp_path / "t", save_config=SaveConfig(save_steps=[1, 4]), include_collections=["weights"])
    hook.register_hook(model)
    train(model, 6, nn.CrossEntropyLoss())
    found = trial(hook)
    assert found.modes() == [modes.GLOBAL]
    assert found.steps() == [1, 4]


def test_reductions_in_place_of_tensors(tmp_path: Path) -> None:
    model = Net()
    hook = Hook(tmp_path / "t", save_config=EVERY, include_collections=["some"])
    reductions = ReductionConfig(["min", "mean"], abs_norms=["l2"])
    hook.add_collection(Collection("some", ["^Net_fc.weight$"], reduction_config=reductions))
    hook.register_module(model)
    before = model.fc.weight.detach().numpy().copy()
    train(model, 1, nn.CrossEntropyLoss())
    tensor = trial(hook).tensor("Net_fc.weight")
    assert tensor.reduction_value(0, "min") == before.min()
    assert tensor.reduction_value(0, "l2", abs=True) == pytest.approx(np.linalg.norm(before))
    assert tensor.shape(0) == (5, 4)
    with pytest.raises(TensorUnavailableForStep):
        tensor.value(0)


def test_scalars_after_the_backward_are_kept_at_their_step(tmp_path: Path) -> None:
    model = Net()
    hook = Hook(tmp_path / "t", save_config=SaveConfig(save_interval=2))
    hook.register_module(model)
    for step in range(3):
        train(model, 1, nn.CrossEntropyLoss())
        hook.save_scalar("accuracy", step / 10, sm_metric=True)
    found = trial(hook)
    assert {s: float(v) for s, v in found.tensor("scalar/accuracy").values().items()} == {0: 0.0, 1: 0.1, 2: 0.2}
    assert found.info("scalar/accuracy").collections == ("sm_metrics",)


def test_scalars_of_one_step_are_all_kept(tmp_path: Path) -> None:
    model = Net()
    hook = Hook(tmp_path / "t")
    hook.register_module(model)
    train(model, 1, nn.CrossEntropyLoss())
    for value in (1.0, 2.0, 3.0):
        hook.save_scalar("x", value)
    found = trial(hook)
    assert [float(found.tensor(f"scalar/{n}").value(0)) for n in ("x", "x_1", "x_2")] == [1.0, 2.0, 3.0]


def test_a_script_without_a_model_has_a_step_for_each_value(tmp_path: Path) -> None:
    hook = Hook(tmp_path / "t")
    for value in (1.0, 2.0, 3.0):
        hook.save_scalar("x", value)
        hook.save_scalar("y", -value)
    found = trial(hook)
    assert {s: float(v) for s, v in found.tensor("scalar/x").values().items()} == {0: 1.0, 1: 2.0, 2: 3.0}
    assert {s: float(v) for s, v in found.tensor("scalar/y").values().items()} == {0: -1.0, 1: -2.0, 2: -3.0}


def test_labels_saved_before_the_forward_belong_to_it(tmp_path: Path) -> None:
    model, optimizer = Net(), None
    hook = Hook(tmp_path / "t", save_config=SaveConfig(save_interval=2), include_collections=["labels"])
    hook.get_collection("labels")
    hook.register_module(model)
    for step in range(5):
        images, labels = batch(step)
        hook.save_tensor("labels", labels, collections_to_write="labels")
        model(images)
    assert optimizer is None
    found = trial(hook).tensor("labels")
    assert found.steps() == [0, 2, 4]
    assert all(np.array_equal(found.value(step), batch(step)[1].numpy()) for step in (0, 2, 4))


def test_a_tensor_saved_after_the_backward_is_in_all_its_collections(tmp_path: Path) -> None:
    model = Net()
    hook = Hook(tmp_path / "t", save_config=EVERY)
    hook.register_module(model)
    for step in range(2):
        train(model, 1, nn.CrossEntropyLoss())
        hook.save_tensor("mine", np.arange(3) + step, ["a", "b"])
    found = trial(hook)
    assert {s: v.tolist() for s, v in found.tensor("mine").values().items()} == {0: [0, 1, 2], 1: [1, 2, 3]}
    assert set(found.info("mine").collections) == {"a", "b"}


def test_a_recorded_tensor(tmp_path: Path) -> None:
    model = Net()
    hook = Hook(tmp_path / "t", save_config=EVERY, include_regex=["^mine"])
    hook.register_module(model)
    model(batch(0)[0])
    hook.record_tensor_value("mine", torch.ones(2))
    hook.record_tensor_value("my_loss", torch.tensor(2.0))
    found = trial(hook)
    assert found.tensor("mine_output_0").value(0).tolist() == [1.0, 1.0]
    assert found.info("my_loss_output_0").collections == ("losses",)


def test_what_is_not_allowed_is_refused(tmp_path: Path) -> None:
    hook = Hook(tmp_path / "t")
    with pytest.raises(DebuggerTypeError, match="Module"):
        hook.register_module(3)  # type: ignore[arg-type]
    with pytest.raises(DebuggerTypeError, match="record_tensor_value"):
        hook.register_loss(torch.nn.functional.mse_loss)  # type: ignore[arg-type]
    with pytest.raises(DebuggerValueError, match=r"modes\.TRAIN"):
        hook.set_mode("train")
    with pytest.raises(DebuggerTypeError, match="one number"):
        hook.save_scalar("x", [1.0, 2.0])
    with pytest.raises(DebuggerTypeError, match="Tensor"):
        hook.record_tensor_value("x", 1.0)  # type: ignore[arg-type]
    with pytest.raises(DebuggerValueError, match="out_dir"):
        Hook()
    hook.close()


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    Hook(tmp_path / "t").close()
    (tmp_path / "t" / "old").touch()
    with pytest.raises(DebuggerValueError, match=r"'old'.*resume=True"):
        Hook(tmp_path / "t")
