"""One trial."""

import pytest

from sagehound.errors import InvalidInput
from sagehound.tuning.trial import Trial


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_objective_is_a_finite_number(value: float):
    with pytest.raises(InvalidInput, match="pass None for a failed trial"):
        Trial(number=1, values={}, objective=value)


def test_a_curve_is_of_finite_numbers():
    with pytest.raises(InvalidInput, match="leave such ones out"):
        Trial(number=1, values={}, running=True, curve=(0.5, float("nan")))
