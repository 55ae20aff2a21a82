"""Java's patterns as Python's."""

import pytest

from sagehound.api.operations import OPERATIONS
from sagehound.wire.patterns import compiled
from sagehound.wire.services import SERVICES, Catalogue

TAG = r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"


@pytest.mark.parametrize("text", ["", "team", "größe 3", "日本", "a/b=c+d-e@f", "Ⅷ\u00a0x", "٣"])
def test_letters_separators_and_numbers_of_every_script(text):
    assert compiled(TAG).fullmatch(text)


@pytest.mark.parametrize("text", ["a\nb", "a;b", "#", "\x00", "a\u0301", "€"])
def test_nothing_else(text):
    assert not compiled(TAG).fullmatch(text)


def test_a_class_outside_of_brackets_stands_for_one_character():
    assert compiled(r"\p{ASCII}*").fullmatch("image/jpeg")
    assert not compiled(r"\p{ASCII}*").fullmatch("größe")
    assert compiled(r"\p{L}-\p{N}").fullmatch("é-5")


def test_what_python_cannot_say_is_none():
    assert compiled(r"a{2}**") is None


def test_every_pattern_of_an_offered_operation_can_be_said():
    catalogue = Catalogue(OPERATIONS)
    shapes = [shape for service in SERVICES for shape in catalogue.model(service).shapes.values()]
    patterns = {shape.pattern for shape in shapes if shape.pattern}
    assert len(patterns) > 50
    assert [pattern for pattern in patterns if compiled(pattern) is None] == []
