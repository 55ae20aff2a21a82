"""Numbers as people read them: the examples in the documentation are the cases."""

import doctest

import pytest

from sagehound.pages import markup, prices, ticks, units


@pytest.mark.parametrize("module", (markup, prices, ticks, units), ids=lambda each: each.__name__)
def test_the_examples_hold(module: object) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
