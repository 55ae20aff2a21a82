"""Which variant a request goes to."""

import pytest

from sagehound.control.fleet import Fleet
from sagehound.control.pool import Pool
from sagehound.errors import InvalidInput


def _fleet(weights: dict[str, float], draw: float = 0.0) -> Fleet:
    return Fleet({name: Pool([]) for name in weights}, weights, lambda: draw)


@pytest.mark.parametrize(("draw", "chosen"), [(0.0, "a"), (0.24, "a"), (0.26, "b"), (0.999, "b")])
def test_by_weight(draw: float, chosen: str) -> None:
    assert _fleet({"none": 0.0, "a": 1.0, "b": 3.0, "nil": 0.0}, draw).choose() == chosen


def test_by_name_whatever_its_weight() -> None:
    assert _fleet({"a": 1.0, "b": 0.0}).choose("b") == "b"


def test_no_such_variant_and_none_at_all() -> None:
    with pytest.raises(InvalidInput, match="this endpoint has a, b"):
        _fleet({"a": 1.0, "b": 0.0}).choose("c")
    with pytest.raises(InvalidInput, match="TargetVariant"):
        _fleet({"a": 0.0}).choose()
