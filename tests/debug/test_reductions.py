import numpy as np
import pytest

from sagehound.debug.reductions import NAMES, reduce_array
from sagehound.errors import DebuggerValueError

VALUES = np.array([[1.0, -2.0], [3.0, -4.0]])
EXPECTED = {
    "min": -4.0,
    "max": 3.0,
    "mean": -0.5,
    "std": 7.25**0.5,
    "variance": 7.25,
    "sum": -2.0,
    "prod": 24.0,
    "l1": 10.0,
    "l2": 30**0.5,
    "abs_min": 1.0,
    "abs_max": 4.0,
    "abs_mean": 2.5,
    "abs_std": 1.25**0.5,
    "abs_variance": 1.25,
    "abs_sum": 10.0,
    "abs_prod": 24.0,
    "abs_l1": 10.0,
    "abs_l2": 30**0.5,
}


def test_every_reduction_by_hand():
    assert {name: pytest.approx(reduce_array(VALUES, name)) for name in NAMES} == EXPECTED


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "int64"])
def test_any_type_of_number_is_reduced_in_float64(dtype):
    assert {name: reduce_array(VALUES.astype(dtype), name) for name in NAMES} == pytest.approx(EXPECTED)


def test_small_integers_do_not_overflow():
    assert reduce_array(np.full(1000, -128, np.int8), "abs_max") == 128
    assert reduce_array(np.full(1000, 60000, np.float16), "l2") == pytest.approx(60000 * 1000**0.5, rel=1e-3)


def test_booleans_count_and_complex_numbers_are_magnitudes():
    assert reduce_array(np.array([True, False, True]), "sum") == 2
    assert reduce_array(np.array([3 + 4j, 0]), "max") == 5


def test_nothing_has_a_sum_and_a_product_and_no_mean():
    empty = np.empty((0, 3))
    assert [reduce_array(empty, name) for name in ("sum", "prod", "abs_l1", "l2")] == [0, 1, 0, 0]
    assert all(np.isnan(reduce_array(empty, name)) for name in ("min", "abs_max", "mean", "std", "variance"))


def test_nan_and_infinity_come_through_without_a_warning():
    values = np.array([1.0, np.nan, np.inf])
    assert all(np.isnan(reduce_array(values, name)) for name in ("min", "max", "mean", "std"))
    assert reduce_array(np.array([1e308, 1e308]), "sum") == np.inf


def test_one_number_has_variance_0():
    assert reduce_array(np.float32(3), "variance") == 0


def test_an_unknown_name_is_refused():
    with pytest.raises(DebuggerValueError, match="unknown reduction 'median'; there are min, max"):
        reduce_array(VALUES, "median")
