"""What a report is made of, and what every section needs of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.profile import Profile
from sagehound.profile.report.chart import Chart
from sagehound.profile.report.charts import charts
from sagehound.profile.report.course import Course, course
from sagehound.profile.report.digest import Digest, digests


@dataclass(frozen=True)
class Material:
    """A job's profile, the rules' verdicts, the debugger's findings as debug/finding.py has them, and where the profile
    was read from (a folder or an S3 URI; None where that is not known)."""

    profile: Profile
    verdicts: Sequence[Verdict] = ()
    debugger: Sequence[Mapping[str, Any]] = ()
    source: str | None = None

    @cached_property
    def course(self) -> Course:
        return course(self.profile)

    @cached_property
    def digests(self) -> tuple[Digest, ...]:
        return digests(self.profile.system, (self.course.begin_s, self.course.end_s))

    @cached_property
    def charts(self) -> tuple[Chart, ...]:
        return charts(self.profile, self.course, self.digests)

    def of(self, *rules: str) -> list[Verdict]:
        """The verdicts of these rules, in this order."""
        return [verdict for rule in rules for verdict in self.verdicts if verdict.rule == rule]

    @cached_property
    def worth_most(self) -> list[Finding]:
        """The findings, the greatest expected gain first and those without one last. A change that two rules ask for
        stands there once, with the words of the later one: the rules of AWS come first, and say less of the cause."""
        every = [finding for verdict in self.verdicts for finding in verdict.findings]
        once = {(each.change, each.code): each for each in every}.values()
        return sorted(once, key=lambda each: -(each.gain_s if each.gain_s is not None else -1.0))


def anchor(rule: str) -> str:
    """The id of a rule's place in the page."""
    return "rule-" + re.sub(r"[^A-Za-z0-9]+", "-", rule)


def spoken(rule: str) -> str:
    """A rule's name as words.

    >>> spoken("LowGPUUtilization"), spoken("IOBottleneck"), spoken("LoaderBound")
    ('Low GPU utilization', 'IO bottleneck', 'Loader bound')
    """
    words = re.findall(r"[A-Z]{2,}(?=[A-Z][a-z]|\b|_|$)|[A-Z]?[a-z0-9]+|[A-Z]+", rule)
    return " ".join(word if i == 0 or word.isupper() else word.lower() for i, word in enumerate(words)) or rule
