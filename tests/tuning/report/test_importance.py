"""Importance: what matters comes first, and little is claimed of few trials."""

import pytest

from sagehound.tuning.report.importance import importance
from sagehound.tuning.report.page import page
from tests.tuning.report.studies import study


def test_what_matters_most_comes_first() -> None:
    found = importance(study(100, early=False))
    assert found is not None
    assert next(iter(found.shares)) == "lr"
    assert sum(found.shares.values()) == pytest.approx(1.0)


def test_nothing_is_reckoned_of_four_trials_and_few_come_with_a_warning() -> None:
    assert importance(study(4)) is None
    assert "Reckoned from 11 trials only" in page(study(11))
    assert "trials only" not in page(study(100))


def test_the_same_study_gives_the_same_shares() -> None:
    assert importance(study(40)) == importance(study(40))
