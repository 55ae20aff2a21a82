"""Single values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagehound.wire.errors import Malformed
from sagehound.wire.model import Shape
from sagehound.wire.scalars import iso8601, read_instant, read_scalar, read_text

GOOD = [
    ("string", "x", "x"),
    ("boolean", False, False),
    ("integer", 5, 5),
    ("integer", 5.0, 5),
    ("long", 2**40, 2**40),
    ("double", 1, 1.0),
    ("float", "Infinity", math.inf),
    ("timestamp", 1795365029.389015, 1795365029.389015),
    ("timestamp", "2026-11-22T16:30:29Z", 1795365029.0),
    ("timestamp", "2026-11-22T16:30:29", 1795365029.0),
    ("timestamp", "Sun, 22 Nov 2026 16:30:29 GMT", 1795365029.0),
    ("blob", "aGk=", b"hi"),
]
BAD = [
    ("string", 5),
    ("boolean", "true"),
    ("boolean", 1),
    ("integer", True),
    ("integer", 2**31),
    ("integer", 1.5),
    ("integer", math.inf),
    ("long", 2**63),
    ("double", "1"),
    ("double", 10**400),
    ("timestamp", "yesterday"),
    ("timestamp", True),
    ("timestamp", 1e300),
    ("timestamp", "nan"),
    ("timestamp", 10**400),
    ("blob", "a"),
    ("blob", 5),
]


@pytest.mark.parametrize(("kind", "value", "wanted"), GOOD)
def test_a_value_of_its_type(kind, value, wanted):
    assert read_scalar(Shape(type=kind), value, "here") == wanted


@pytest.mark.parametrize(("kind", "value"), BAD)
def test_any_other_is_refused_where_it_stands(kind, value):
    with pytest.raises(Malformed, match="'here' cannot be read"):
        read_scalar(Shape(type=kind), value, "here")


@pytest.mark.parametrize(
    ("kind", "text", "wanted"), [("integer", "60", 60), ("double", "0.5", 0.5), ("boolean", "TRUE", True)]
)
def test_text_stands_for_a_value(kind, text, wanted):
    assert read_text(Shape(type=kind), text, "here") == wanted


@pytest.mark.parametrize(("kind", "text"), [("integer", "x"), ("double", ""), ("boolean", "yes")])
def test_text_that_does_not_is_refused(kind, text):
    with pytest.raises(Malformed, match="here"):
        read_text(Shape(type=kind), text, "here")


@given(st.floats(min_value=0, max_value=4e9))
def test_a_timestamp_is_written_and_read_back_to_the_millisecond(seconds):
    assert abs(read_instant(iso8601(seconds), "t") - seconds) < 0.0011
