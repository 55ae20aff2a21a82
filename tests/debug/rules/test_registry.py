import pytest

from sagehound.debug.rules.registry import RULES, XGBOOST, build
from sagehound.errors import InvalidInput, Unsupported


def test_the_documented_default_without_parameters() -> None:
    assert build("VanishingGradient").threshold == 1e-7


def test_what_the_sdk_adds_is_no_parameter() -> None:
    built = build("VanishingGradient", {"rule_to_invoke": "VanishingGradient", "action_json": "[]", "base_trial": "x"})
    assert built == build("VanishingGradient")


@pytest.mark.parametrize("name", XGBOOST)
def test_rules_of_xgboost_are_refused_by_name(name: str) -> None:
    with pytest.raises(Unsupported, match=f"{name} looks at XGBoost"):
        build(name, {})


def test_an_unknown_rule_names_those_there_are() -> None:
    with pytest.raises(InvalidInput, match=r"'vanishing_gradient' \(did you mean VanishingGradient\?\).*DeadRelu"):
        build("vanishing_gradient", {})


def test_an_unknown_parameter_names_those_there_are() -> None:
    with pytest.raises(InvalidInput, match="VanishingGradient has no parameter 'treshold'; its parameters are thresh"):
        build("VanishingGradient", {"treshold": "1"})


@pytest.mark.parametrize("text", ["a", "nan", "inf"])
def test_a_bad_number_is_named(text: str) -> None:
    with pytest.raises(InvalidInput, match=f"VanishingGradient cannot take threshold='{text}': a .*number is needed"):
        build("VanishingGradient", {"threshold": text})


def test_the_table_has_a_name_once_and_refuses_none() -> None:
    assert len(RULES) == len(set(RULES)) == 27
    assert "TreeDepth" not in RULES
