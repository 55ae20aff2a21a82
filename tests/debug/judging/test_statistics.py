import math

import numpy as np
import pytest

from sagehound.debug.judging.statistics import of_array, of_reductions, read, statistics
from sagehound.debug.store.records import TensorInfo
from sagehound.errors import TensorUnavailableForStep
from sagehound.testing.recorded_run import RecordedRun, info

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "int8", "bool"])
@pytest.mark.parametrize("size", [1, 7, 40_000, 100_000])
def test_as_numpy_computes_them(dtype: str, size: int) -> None:
    array = (RANDOM.standard_normal(size) * 3).astype(dtype)
    found, exact = of_array(array), array.astype(np.float64)
    assert (found.count, found.nan, found.inf) == (size, 0, 0)
    assert found.zeros == int((exact == 0).sum())
    assert (found.min, found.max) == (exact.min(), exact.max())
    expected = (exact.mean(), np.abs(exact).mean(), exact.var(), np.linalg.norm(exact))
    assert (found.mean, found.abs_mean, found.variance, found.l2) == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_a_variance_far_below_the_mean_keeps_its_digits() -> None:
    array = (10_000 + RANDOM.standard_normal(100_000)).astype(np.float32)
    assert of_array(array).variance == pytest.approx(array.astype(np.float64).var(), rel=1e-6)


def test_nan_and_infinity_are_counted() -> None:
    found = of_array(np.array([[math.nan, math.inf], [-math.inf, 0]], dtype=np.float32))
    assert (found.nan, found.inf, found.zeros, found.finite) == (1, 2, 1, False)
    assert math.isnan(found.mean or 0)


def test_squares_beyond_the_type_are_no_infinity() -> None:
    found = of_array(np.full(10, 1e30, dtype=np.float32))
    assert found.finite
    assert found.l2 == pytest.approx(1e30 * math.sqrt(10))


def test_no_elements() -> None:
    found = of_array(np.zeros((0, 3), np.float32))
    assert (found.count, found.zeros, found.l2) == (0, 0, 0.0)
    assert math.isnan(found.abs_mean or 0)


def test_a_scalar_and_columns_and_complex_numbers() -> None:
    assert of_array(np.asarray(2.0)).mean == 2.0
    assert of_array(np.arange(6.0).reshape(2, 3).T).max == 5.0
    assert of_array(np.array([3 + 4j, 0])).abs_mean == 2.5


@pytest.mark.parametrize(
    ("reductions", "expected"),
    [
        ({"abs_mean": 2.0}, {"abs_mean": 2.0, "nan": 0, "zeros": None}),
        ({"l1": 8.0}, {"abs_mean": 2.0}),
        ({"std": 3.0, "sum": 4.0}, {"variance": 9.0, "mean": 1.0}),
        ({"min": 0.0, "max": 0.0}, {"zeros": 4}),
        ({"l2": 0.0}, {"zeros": 4, "l2": 0.0}),
        ({"min": 1.0}, {"zeros": 0}),
        ({"mean": math.nan}, {"finite": False, "nan": None}),
        ({"min": 1.0, "max": 2.0}, {"finite": None}),
    ],
)
def test_what_reductions_tell(reductions: dict[str, float], expected: dict[str, float]) -> None:
    found = of_reductions(TensorInfo(name="w", kind="weight", shape=(2, 2)), reductions)
    assert {key: getattr(found, key) for key in expected} == expected


def test_of_a_trial_they_are_computed_once() -> None:
    run, weight = RecordedRun(), info("w", "weight")
    run.save({weight: np.ones(3, np.float32), info("loss", "loss"): 0.5})
    trial = run.trial()
    assert statistics(trial, "w", 0) is statistics(trial, "w", 0)
    assert statistics(trial, "loss", 0).mean == 0.5
    array = read(trial, "w", 0)
    assert array is not None and array.tolist() == [1, 1, 1]
    with pytest.raises(TensorUnavailableForStep):
        statistics(trial, "absent", 0)
