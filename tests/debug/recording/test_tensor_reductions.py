import math
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from sagehound.debug.recording import tensor_reductions
from sagehound.debug.recording.tensor_reductions import reduce_tensor, reduce_tensors
from sagehound.debug.reductions import NAMES, reduce_array

GENERATOR = torch.Generator().manual_seed(7)


def normal(*shape):
    return torch.randn(*shape, generator=GENERATOR)


def expected(tensor):
    values = tensor.to(torch.complex128 if tensor.is_complex() else torch.float64)
    return [reduce_array(values.numpy(), name) for name in NAMES]


TENSORS = {
    "matrix": normal(30, 40),
    "number": torch.tensor(-2.5),
    "half": normal(50).half(),
    "bfloat16": normal(50).bfloat16(),
    "double": normal(50).double(),
    "integers": torch.tensor([-128, 127, 5], dtype=torch.int8),
    "bytes": torch.tensor([255, 255, 0], dtype=torch.uint8),
    "booleans": torch.tensor([True, False, True]),
    "complex": torch.complex(normal(20), normal(20)),
    "channels last": normal(2, 3, 4, 5).to(memory_format=torch.channels_last),
    "transposed": normal(3, 7).t(),
    "empty": torch.empty(0, 4),
    "constant": torch.full((1000,), 0.1),
    "far from 0": normal(1000) + 1e6,
    "large halves": torch.full((1000,), 60000.0, dtype=torch.float16),
    "tiny": normal(100) * 1e-30,
    "huge": normal(100) * 1e30,
    "with NaN": torch.tensor([1.0, math.nan, 2.0]),
    "with infinity": torch.tensor([1.0, -math.inf, 2.0]),
}


@pytest.mark.parametrize("tensor", TENSORS.values(), ids=TENSORS)
def test_the_same_numbers_as_of_the_array(tensor):
    assert reduce_tensor(tensor, NAMES).tolist() == pytest.approx(expected(tensor), rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_chunks_make_no_difference(monkeypatch, size):
    monkeypatch.setattr(tensor_reductions, "_CPU_CHUNK", size)
    for tensor in (normal(150) + 3, torch.tensor([1.0] * 70 + [math.nan])):
        assert reduce_tensor(tensor, NAMES).tolist() == pytest.approx(expected(tensor), rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", NAMES)
def test_each_reduction_alone(name):
    tensor = normal(100) - 1
    assert reduce_tensor(tensor, [name]).tolist() == pytest.approx([reduce_array(tensor.double().numpy(), name)])


def test_many_tensors_each_with_its_own_names():
    tensors = [normal(5), normal(2, 2).half(), torch.empty(0), normal(3)]
    names = [("min", "l2"), (), ("sum", "max"), ("abs_mean",)]
    found = reduce_tensors(tensors, names)
    assert found.dtype == torch.float64
    parts = [reduce_tensor(tensor, wanted) for tensor, wanted in zip(tensors, names, strict=True)]
    assert np.array_equal(found, torch.cat(parts), equal_nan=True)
    assert reduce_tensors([], []).shape == (0,)


def test_the_tensor_and_its_gradient_stay_as_they_are():
    tensor = normal(10).requires_grad_()
    before = tensor.detach().clone()
    assert not reduce_tensor(tensor * 1, NAMES).requires_grad
    assert torch.equal(tensor, before)
    double = normal(10).double()
    kept = double.clone()
    reduce_tensor(double, NAMES)
    assert torch.equal(double, kept)


def test_a_sparse_tensor_counts_its_zeros():
    sparse = torch.eye(4).to_sparse()
    assert reduce_tensor(sparse, ["mean", "min", "l2"]).tolist() == [0.25, 0.0, 2.0]


def test_inference_mode_leaves_nothing_behind():
    seen = []

    def work():
        with torch.inference_mode():
            seen.append(reduce_tensor(torch.ones(3), ["l1"]).item())
        seen.append(reduce_tensor(torch.ones(4), ["l1"]).item())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [3.0, 4.0]


def test_threads_do_not_mix():
    tensors = [torch.full((50_000,), float(number)) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(
            lambda tensor: [reduce_tensor(tensor, ["max", "abs_mean"]).tolist() for _ in range(20)], tensors
        )
        assert list(found) == [[[number, number]] * 20 for number in map(float, range(4))]


@pytest.mark.parametrize("shift", [0.0, 1e-3, 1e8])
def test_a_spread_far_from_zero_keeps_its_digits(shift):
    tensor = torch.linspace(-1, 1, 1001, dtype=torch.float64) * 1e-3 + shift
    variance, absolute, std = reduce_tensor(tensor, ("variance", "abs_variance", "std")).tolist()
    exact = (tensor - shift).var(correction=0).item()
    assert variance == pytest.approx(exact, rel=1e-4)
    assert std == pytest.approx(exact**0.5, rel=1e-4)
    assert absolute == pytest.approx((tensor - shift + shift).abs().sub(shift).var(correction=0).item(), rel=1e-4)
