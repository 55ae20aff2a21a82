"""Judging a profile by a rule that may fail."""

from __future__ import annotations

import logging
import traceback

from sagehound.profile.finding import Rule, Verdict
from sagehound.profile.profile import Profile

_LOG = logging.getLogger("sagehound.profile.findings")
#: In a verdict's details, what went wrong in the rule itself.
ERROR = "Error"


def judged(rule: Rule, profile: Profile) -> Verdict:
    """The rule's verdict; where it raises, one that says so, and other rules go on."""
    try:
        return rule.judge(profile)
    except Exception as error:  # noqa: BLE001 - whatever it is, the report is made without this rule
        _LOG.warning("rule %s failed", rule.name, exc_info=True)
        frames = traceback.extract_tb(error.__traceback__)
        place = f" ({frames[-1].filename.rpartition('/')[2]} line {frames[-1].lineno})" if frames else ""
        reason = f"{type(error).__name__}: {error}{place}"
        return Verdict(rule=rule.name, unable=f"the rule failed: {reason}", details={ERROR: reason})


def failure(verdict: Verdict) -> str:
    """What went wrong in the rule; "" where nothing did."""
    return str(verdict.details.get(ERROR, ""))
