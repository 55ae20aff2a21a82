"""Models of all sorts under the hook."""

import copy
import io
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from sagehound.debug.config.save_config import SaveConfig
from sagehound.debug.hook import Hook
from sagehound.debug.modes import modes
from sagehound.debug.recording.current import set_current_hook
from sagehound.debug.trial import Trial
from tests.debug.hooked import Net, batch, train, trial


@pytest.fixture(autouse=True)
def _no_hook_left() -> Iterator[None]:
    set_current_hook(None)
    yield
    set_current_hook(None)


def _hook(folder: Path, *models: nn.Module, **more: Any) -> Hook:
    more = {"save_config": SaveConfig(save_interval=1), "save_all": True} | more
    hook = Hook(folder / "t", **more)
    for model in models:
        hook.register_module(model)
    return hook


def _forward(folder: Path, model: nn.Module, *args: Any, backward: bool = True, **kwargs: Any) -> Trial:
    """What is saved of one forward and backward."""
    hook = _hook(folder, model)
    out = model(*args, **kwargs)
    if backward:
        (out if isinstance(out, torch.Tensor) else next(iter(out.values()))).abs().sum().backward()
    return trial(hook)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.complex64])
def test_types_of_numbers(tmp_path: Path, dtype: torch.dtype) -> None:
    model = nn.Linear(3, 2, dtype=dtype)
    found = _forward(tmp_path, model, torch.ones(4, 3, dtype=dtype))
    saved = found.tensor("Linear_weight").value(0)
    wanted = model.weight.detach()
    assert np.array_equal(saved, (wanted.float() if dtype is torch.bfloat16 else wanted).numpy())
    assert found.info("Linear_output_0").dtype == str(dtype).removeprefix("torch.")
    assert found.tensor("gradient/Linear_weight").shape(0) == (2, 3)


def test_sparse_gradients_are_saved_dense_with_a_note(tmp_path: Path) -> None:
    model = nn.Embedding.from_pretrained(torch.ones(5, 2), freeze=False, sparse=True)
    found = _forward(tmp_path, model, torch.tensor([[1, 3, 3]]))
    assert found.tensor("gradient/Embedding_weight").value(0).tolist() == [[0, 0], [1, 1], [0, 0], [2, 2], [0, 0]]
    assert any("gradient/Embedding_weight" in note.text and "sparse" in note.text for note in found.notes)


@dataclass
class _Out:
    logits: torch.Tensor
    hidden: tuple[torch.Tensor, ...]
    name: str = "x"


class _Pair(NamedTuple):
    a: torch.Tensor
    b: torch.Tensor


@pytest.mark.parametrize(
    ("wrap", "count"),
    [
        (lambda x: {"a": x, "b": x * 2}, 2),
        (lambda x: _Out(x, (x * 2, x * 3)), 3),
        (lambda x: _Pair(x, x * 2), 2),
        (lambda x: [x, [x * 2, None]], 2),
        (lambda x: x.sum(), 1),
    ],
)
def test_outputs_of_all_sorts(tmp_path: Path, wrap: Any, count: int) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(2, 2)

        def forward(self, x: torch.Tensor) -> Any:
            return wrap(self.fc(x))

    hook = _hook(tmp_path, model := Model())
    model(torch.ones(3, 2))
    names = trial(hook).tensor_names(regex="^Model_output")
    assert names == [f"Model_output_{n}" for n in range(count)]


def test_keyword_arguments_are_inputs(tmp_path: Path) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(2, 2)

        def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            return self.inner(input=x) * mask

    found = _forward(tmp_path, Model(), x=torch.ones(3, 2), mask=torch.ones(2))
    assert found.tensor("inner_input_0").value(0).shape == (3, 2)
    assert len(found.facts(0).samples) == 3


def test_a_module_that_is_called_twice(tmp_path: Path) -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(2, 2)
            self.same = self.fc

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.fc(self.same(x))

    found = _forward(tmp_path, Twice(), torch.ones(1, 2))
    assert {"fc_output_0", "fc_output_1", "Twice_fc.weight"} <= set(found.tensor_names())
    assert found.tensor("fc_output_1").value(0).tolist() == found.tensor("Twice_output_0").value(0).tolist()


def test_inputs_are_those_before_an_operation_in_place(tmp_path: Path) -> None:
    found = _forward(tmp_path, Net(), batch(0)[0])
    assert found.tensor("relu_input_0").value(0).min() < 0
    assert found.tensor("relu_output_0").value(0).min() == 0


def test_frozen_parameters_have_no_gradient(tmp_path: Path) -> None:
    model = Net()
    model.conv.requires_grad_(False)
    found = _forward(tmp_path, model, batch(0)[0])
    assert "gradient/Net_fc.weight" in found.tensor_names()
    assert "gradient/Net_conv.weight" not in found.tensor_names()
    assert {p.name: p.trainable for p in found.model.parameters}["Net_conv.weight"] is False


def test_a_model_without_parameters_and_one_made_lazily(tmp_path: Path) -> None:
    found = _forward(tmp_path / "a", nn.Sequential(nn.ReLU()), torch.ones(2), backward=False)
    assert found.tensor("0_output_0").value(0).tolist() == [1, 1]
    hook = _hook(tmp_path / "b", model := nn.Sequential(nn.LazyLinear(2)))
    for _ in range(2):
        model(torch.ones(3, 4))
    found = trial(hook)
    assert found.tensor("Sequential_0.weight").steps() == [1]
    assert found.tensor("0_output_0").steps() == [0, 1]


def test_a_recurrent_model(tmp_path: Path) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(2, 3, batch_first=True)
            self.cell = nn.GRUCell(3, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out, _ = self.rnn(x)
            hidden = torch.zeros(len(x), 3)
            for step in range(4):
                hidden = self.cell(out[:, step], hidden)
            return hidden

    found = _forward(tmp_path, Model(), torch.ones(2, 4, 2))
    assert {"rnn_output_0", "rnn_output_2", "cell_output_3", "Model_rnn.weight_ih_l0"} <= set(found.tensor_names())
    assert found.info("Model_rnn.weight_ih_l0").kind == "weight"


def test_a_packed_sequence(tmp_path: Path) -> None:
    packed = nn.utils.rnn.pack_padded_sequence(torch.ones(2, 3, 2), torch.tensor([3, 2]), batch_first=True)
    hook = _hook(tmp_path, model := nn.LSTM(2, 3))
    model(packed)
    assert trial(hook).tensor("LSTM_output_0").value(0).shape == (5, 3)


def test_a_gan_has_one_step_for_its_two_models(tmp_path: Path) -> None:
    class Maker(nn.Linear):
        pass

    class Judge(nn.Linear):
        pass

    maker, judge = Maker(2, 3), Judge(3, 1)
    hook = _hook(tmp_path, maker, judge)
    makes = torch.optim.Adam(maker.parameters())
    judges = torch.optim.Adam(judge.parameters())
    for _ in range(12):
        fake = maker(torch.randn(4, 2))
        wrong = F.binary_cross_entropy_with_logits(judge(fake.detach()), torch.zeros(4, 1))
        right = F.binary_cross_entropy_with_logits(judge(torch.randn(4, 3)), torch.ones(4, 1))
        judges.zero_grad()
        (wrong + right).backward()
        judges.step()
        makes.zero_grad()
        F.binary_cross_entropy_with_logits(judge(fake), torch.ones(4, 1)).backward()
        makes.step()
    found = trial(hook)
    assert found.steps() == list(range(12))
    assert {"Maker_weight", "gradient/Maker_weight", "Judge_weight", "gradient/Judge_weight"} <= set(
        found.tensor_names(step=11)
    )
    assert {f"BCEWithLogitsLoss_output_{n}" for n in range(3)} <= set(found.tensor_names(step=11))
    assert len(found.facts(5).learning_rates) == 2


def test_a_second_training_in_the_same_script(tmp_path: Path) -> None:
    first, second = Net(), Net()
    hook = _hook(tmp_path, first)
    train(first, 3, nn.CrossEntropyLoss())
    hook.register_module(second)
    train(second, 3, nn.CrossEntropyLoss())
    found = trial(hook)
    assert found.steps() == list(range(6))
    assert found.tensor("Net_fc.weight").steps() == list(range(6))


def test_gradients_of_several_backwards_add_up(tmp_path: Path) -> None:
    hook = _hook(tmp_path, model := nn.Linear(2, 1))
    out = model(torch.ones(1, 2))
    out.sum().backward(retain_graph=True)
    (2 * out).sum().backward()
    assert trial(hook).tensor("gradient/Linear_weight").value(0).tolist() == [[3, 3]]


def test_a_step_that_lasts_until_the_optimizers(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    hook = _hook(tmp_path, model, step="optimizer")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    hook.set_mode(modes.TRAIN)
    for _ in range(2):
        for part in range(3):
            F.mse_loss(model(torch.full((1, 2), float(part))), torch.zeros(1, 1)).backward()
        grown = model.weight.grad.clone()
        optimizer.step()
        optimizer.zero_grad()
    hook.set_mode(modes.EVAL)
    for _ in range(3):
        model(torch.ones(1, 2))
    found = trial(hook)
    assert (found.steps(modes.TRAIN), found.steps(modes.EVAL)) == ([0, 1], [0, 1, 2])
    assert np.array_equal(found.tensor("gradient/Linear_weight").value(1, modes.TRAIN), grown.numpy())
    assert {f"MSELoss_output_{n}" for n in range(3)} <= set(found.tensor_names(step=0, mode=modes.TRAIN))
    assert found.facts(0).backward is True


def test_scaled_losses_and_clipped_gradients(tmp_path: Path) -> None:
    plain, scaled = nn.Linear(2, 1), nn.Linear(2, 1)
    scaled.load_state_dict(plain.state_dict())
    plain(torch.ones(1, 2)).sum().backward()
    hook = _hook(tmp_path, scaled)
    optimizer = torch.optim.SGD(scaled.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    scaler.scale(scaled(torch.ones(1, 2)).sum()).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(scaled.parameters(), 0.5)
    scaler.step(optimizer)
    scaler.update()
    found = trial(hook)
    assert found.tensor("gradient/Linear_weight").value(0).tolist() == plain.weight.grad.tolist()
    assert found.facts(0).clip_limit == 0.5
    assert float(found.facts(0).clip_norm) == pytest.approx(3**0.5)


def test_state_of_the_optimizer(tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    hook = _hook(tmp_path, model, save_all=False, include_collections=["optimizer_variables"])
    optimizer = torch.optim.Adam(model.parameters())
    for _ in range(2):
        model(torch.ones(1, 2)).sum().backward()
        optimizer.step()
    found = trial(hook)
    assert {"optimizer/Linear_weight/exp_avg", "optimizer/Linear_bias/exp_avg_sq"} <= set(found.tensor_names())
    assert float(found.tensor("optimizer/Linear_weight/step").value(1)) == 2
    assert found.info("optimizer/Linear_weight/exp_avg").collections == ("optimizer_variables",)


def test_an_optimizer_that_does_not_hold_the_model(tmp_path: Path) -> None:
    model = Net()
    hook = _hook(tmp_path, model)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1)), model.fc.weight], lr=0.25)
    for _ in range(2):
        model(batch(0)[0]).sum().backward()
        optimizer.step()
    found = trial(hook)
    assert found.model.optimizers[0].foreign == 1
    assert {p.name for p in found.model.parameters if p.optimized} == {"Net_fc.weight"}
    assert found.facts(1).learning_rates == (0.25,)
    assert found.facts(1).optimizer_steps == 1


def test_a_copy_and_a_pickle_of_the_model_are_free_of_the_hook(tmp_path: Path) -> None:
    hook = _hook(tmp_path, model := Net())
    average = copy.deepcopy(model)
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=False)
    for _ in range(2):
        model(batch(0)[0])
        average(batch(0)[0])
        loaded(batch(0)[0])
    assert pickle.loads(pickle.dumps(hook)) is None
    assert trial(hook).steps() == [0, 1]


def test_a_traced_model(tmp_path: Path) -> None:
    hook = _hook(tmp_path, model := Net().eval())
    model(batch(0)[0])
    with pytest.warns():
        torch.jit.trace(model, batch(0)[0], check_trace=False)
    torch.export.export(model, (batch(0)[0],))
    assert trial(hook).steps() == [0]


def test_an_exception_in_the_forward(tmp_path: Path) -> None:
    model = Net()
    hook = _hook(tmp_path, model)
    train(model, 1, nn.CrossEntropyLoss())
    with pytest.raises(RuntimeError, match="channels"):
        model(torch.ones(1, 2, 6, 6))
    train(model, 1, nn.CrossEntropyLoss())
    found = trial(hook)
    assert found.steps() == [0, 1, 2]
    assert "fc_output_0" not in found.tensor_names(step=1)
    assert "fc_output_0" in found.tensor_names(step=2)


def test_functions_of_autograd_and_checkpointing(tmp_path: Path) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.b(torch.utils.checkpoint.checkpoint(self.a, x, use_reentrant=False))

    hook = _hook(tmp_path, model := Model())
    out = model(torch.ones(1, 2)).sum()
    wanted = torch.autograd.grad(out, list(model.parameters()))
    found = trial(hook)
    assert found.tensor("gradient/Model_a.weight").value(0).tolist() == wanted[0].tolist()


def test_vmapped_and_functional_calls_do_no_harm(tmp_path: Path) -> None:
    hook = _hook(tmp_path, model := nn.Linear(2, 2))
    parameters = dict(model.named_parameters())
    torch.func.functional_call(model, parameters, torch.ones(1, 2))
    out = torch.func.vmap(lambda x: torch.func.functional_call(model, parameters, x))(torch.ones(3, 2))
    assert out.shape == (3, 2)
    model(torch.ones(1, 2))
    assert "Linear_weight" in trial(hook).tensor_names()


def test_inference_mode(tmp_path: Path) -> None:
    hook = _hook(tmp_path, model := Net())
    hook.set_mode(modes.PREDICT)
    with torch.inference_mode():
        model(batch(0)[0])
    found = trial(hook)
    assert found.tensor("Net_output_0").steps(modes.PREDICT) == [0]
    assert found.facts(0).grad_enabled is False


def test_what_passes_from_module_to_module_is_written_once(tmp_path: Path) -> None:
    body = nn.Sequential(nn.Linear(4, 50), nn.ReLU(), nn.Linear(50, 50), nn.ReLU(inplace=True), nn.Linear(50, 2))
    hook = Hook(tmp_path / "t", save_config=SaveConfig(save_interval=1), save_all=True)
    hook.register_module(body)
    x = torch.randn(30, 4)
    body(x)
    found = trial(hook)
    file = next((tmp_path / "t").rglob("*.safetensors"))
    with torch.no_grad():
        first = body[0](x)
        second = body[2](first.relu())
    values = {name: found.tensor(name).value(0) for name in found.tensor_names()}
    for name, right in {
        "0_output_0": first,
        "1_input_0": first,
        "1_output_0": first.relu(),
        "2_input_0": first.relu(),
        # Changed in place after it was saved: what was, and what is.
        "2_output_0": second,
        "3_input_0": second,
        "3_output_0": second.relu(),
        "4_input_0": second.relu(),
        "0_input_0": x,
    }.items():
        assert torch.allclose(torch.from_numpy(values[name]), right, atol=1e-6), name
    assert (values["4_output_0"] == values["Sequential_output_0"]).all()
    parameters = sum(p.numel() for p in body.parameters())
    activations = x.numel() + 4 * first.numel() + 30 * 2
    assert file.stat().st_size < 4 * (parameters + activations) + 4000
