"""Plain terms of filter patterns."""

import pytest

from sagehound.api.filter_pattern import filter_pattern
from sagehound.errors import Unsupported


@pytest.mark.parametrize(
    ("pattern", "line", "wanted"),
    [
        ("", "anything", True),
        ("ERROR", "an ERROR here", True),
        ("ERROR", "an error here", False),
        ("ERROR memory", "memory ERROR", True),
        ("ERROR memory", "ERROR", False),
        ('"out of memory"', "is out of memory", True),
        ('"out of memory"', "out of the memory", False),
        ("ERROR -retry", "ERROR, retry", False),
        ("?ERROR ?WARN", "a WARN", True),
        ("?ERROR ?WARN", "fine", False),
        (r'"say \"hi\""', 'they say "hi"', True),
    ],
)
def test_terms(pattern, line, wanted):
    assert filter_pattern(pattern)(line) is wanted


@pytest.mark.parametrize("pattern", ["{ $.a = 1 }", "[ip, user]", "%ERR.*%"])
def test_other_kinds_are_refused(pattern):
    with pytest.raises(Unsupported, match="only plain terms"):
        filter_pattern(pattern)
