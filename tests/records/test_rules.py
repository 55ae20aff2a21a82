"""Evaluations of rules: what may follow what."""

import pytest

from sagehound.errors import IllegalTransition
from sagehound.records.rules import RuleEvaluation, RuleStatus


def evaluation(status=RuleStatus.IN_PROGRESS, **changes):
    return RuleEvaluation(
        name="n", created_at=0, modified_at=0, arn="a", parent="job", rule="r", status=status, **changes
    )


@pytest.mark.parametrize("verdict", ["NoIssuesFound", "IssuesFound", "Error", "Stopping", "Stopped"])
def test_what_is_in_progress_can_become_anything(verdict):
    assert evaluation().evolve(status=RuleStatus(verdict)).status == verdict


@pytest.mark.parametrize("verdict", ["NoIssuesFound", "IssuesFound", "Error", "Stopped"])
def test_a_verdict_stands(verdict):
    with pytest.raises(IllegalTransition):
        evaluation(RuleStatus(verdict)).evolve(status=RuleStatus.IN_PROGRESS)


def test_lists_tell_those_that_go_on():
    found = evaluation(RuleStatus.ISSUES_FOUND)
    assert (found.state, found.evolve(ended=True).state, found.group) == ("GoingOn", "Ended", "job")
