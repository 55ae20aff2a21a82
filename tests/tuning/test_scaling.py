"""Scales of numeric ranges."""

import math

from hypothesis import given
from hypothesis import strategies as st

from sagehound.tuning.scaling import Scaling


@given(st.floats(1e-300, 1e300))
def test_a_logarithm_is_taken_back(value: float):
    assert math.isclose(Scaling.LOGARITHMIC.backward(Scaling.LOGARITHMIC.forward(value)), value, rel_tol=1e-12)


@given(st.floats(0, 1, exclude_max=True))
def test_a_reverse_logarithm_is_taken_back(value: float):
    there = Scaling.REVERSE_LOGARITHMIC.forward(value)
    assert math.isclose(Scaling.REVERSE_LOGARITHMIC.backward(there), value, rel_tol=1e-9, abs_tol=1e-15)


def test_a_reverse_logarithm_takes_equal_steps_towards_one():
    steps = [Scaling.REVERSE_LOGARITHMIC.forward(value) for value in (0.9, 0.99, 0.999)]
    assert math.isclose(steps[1] - steps[0], steps[2] - steps[1])
    assert math.isclose(steps[1] - steps[0], math.log(10))


def test_only_auto_is_resolved_to_another_scale():
    assert Scaling.AUTO.resolved(1, 100) is Scaling.LOGARITHMIC
    assert Scaling.AUTO.resolved(1, 99) is Scaling.LINEAR
    assert Scaling.AUTO.resolved(-1, 100) is Scaling.LINEAR
    assert Scaling.LINEAR.resolved(1, 100) is Scaling.LINEAR
