"""One trial."""

import pytest

from sagehound.errors import InvalidInput
from sagehound.tuning.trial import Trial


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_objective_is_a_finite_number(value: float):
    with pytest.raises(InvalidInput, match="pass None for a failed trial"):
        Trial(number=1, values={}, objective=value)
