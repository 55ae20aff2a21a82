"""How long a trial may train."""

import pytest

from sagehound.errors import InvalidInput
from sagehound.tuning.resource import Resource


@pytest.mark.parametrize(("least", "most"), [(0, 3), (4, 3), (1, 20_001)])
def test_what_cannot_be_is_refused(least: int, most: int):
    with pytest.raises(InvalidInput, match=f"MinResource {least} and MaxResource {most} cannot be"):
        Resource(least, most)
