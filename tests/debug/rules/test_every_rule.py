"""Every built-in rule, over the trainings of the conformance suite."""

from importlib.util import find_spec

import pytest

from sagehound.debug.rule import Rule
from sagehound.debug.rules.registry import _MODULES, build
from sagehound.testing.rule_suite import RuleSuite

THERE = [name for name in sorted(_MODULES) if find_spec(f"sagehound.debug.rules.{_MODULES[name]}")]


class TestEveryRule(RuleSuite):
    @pytest.fixture(params=THERE)
    def rule(self, request: pytest.FixtureRequest) -> Rule:
        return build(request.param)
