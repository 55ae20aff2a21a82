import dataclasses

import pytest

from sagehound.errors import InvalidInput
from sagehound.watching.rule_parameters import fields_of, listed


@dataclasses.dataclass(frozen=True)
class Sample:
    needed: str
    patterns_regex: tuple[str, ...] = ()
    flag: bool = False
    steps: int | None = None
    shares: tuple[float, ...] = (0.5,)


def test_strings_become_what_the_fields_are() -> None:
    given = {"needed": "x", "patterns_regex": ".*a, b{1,2}", "flag": "True", "steps": "10.0", "shares": "1,2.5"}
    assert Sample(**fields_of(Sample, "Sample", given)) == Sample("x", (".*a", "b{1,2}"), True, 10, (1.0, 2.5))


def test_an_empty_text_and_none_leave_the_default() -> None:
    given = {"needed": "x", "patterns_regex": "", "steps": "None"}
    assert Sample(**fields_of(Sample, "Sample", given)) == Sample("x")


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("flag", "maybe", "allowed are True and False"),
        ("steps", "1.5", "a whole number is needed"),
        ("patterns_regex", "ab(", "cannot take patterns_regex='ab\\('"),
    ],
)
def test_a_value_that_is_not_allowed_is_named(key: str, text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        fields_of(Sample, "Sample", {"needed": "x", key: text})


def test_a_parameter_without_a_default_is_asked_for() -> None:
    with pytest.raises(InvalidInput, match="Sample needs the parameter 'needed'"):
        fields_of(Sample, "Sample", {})


def test_commas_within_brackets_stay() -> None:
    assert listed(r"a[,]b, \,c ,(d,e)") == ("a[,]b", r"\,c", "(d,e)")
