"""Every built-in rule, over the trainings of the conformance suite."""

import pytest

from sagehound.debug.rule import Rule
from sagehound.debug.rules.registry import RULES, build
from sagehound.testing.rule_suite import RuleSuite


class TestEveryRule(RuleSuite):
    @pytest.fixture(params=sorted(RULES))
    def rule(self, request: pytest.FixtureRequest) -> Rule:
        return build(request.param)
