"""One rule of a request: what it says of a profile, and the files it leaves."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sagehound.errors import RuleEvaluationConditionMet
from sagehound.profile.finding import Finding, Rule, Verdict
from sagehound.profile.findings import json_report
from sagehound.profile.findings.judging import failure, judged
from sagehound.profile.findings.profiler_report import ProfilerReport
from sagehound.profile.profile import Profile
from sagehound.watching.rule_status import RuleStatus, Status, shortened

_LOG = logging.getLogger("sagehound.profile.rules")
#: Writes the report of a profile, verdicts and the debugger's findings into a folder; the last one is `source`.
WriteReport = Callable[[Profile, Sequence[Verdict], Sequence[Mapping[str, Any]], Path, str], Path]


@dataclass(frozen=True)
class Judgement:
    """`name` is the rule's configuration name in the request; `folder` where its files go, `source` where the
    profile is read from."""

    name: str
    rule: Rule
    folder: Path
    source: str
    write_report: WriteReport

    def look(
        self, profile: Profile, debugger: Sequence[Mapping[str, Any]], before: RuleStatus, ended: bool, now: float
    ) -> RuleStatus:
        """Judge, write the files, and say how things stand.

        While the job runs, IssuesFound needs findings at two looks in a row: a job's first minute is not its course,
        and whoever reads the status may stop the job for it. At the end, one look decides.
        """
        verdicts = self._verdicts(profile, ended)
        json_report.write(verdicts, self.folder)
        trouble = self._report(profile, verdicts, debugger)
        findings = tuple(finding for verdict in verdicts for finding in verdict.findings)
        status, details = self._status(verdicts, findings, trouble)
        if not ended and (status is not Status.ISSUES_FOUND or not before.findings):
            status, details = Status.IN_PROGRESS, ""
        return RuleStatus(status=status, details=details, updated_at=now, findings=_by_gain(findings))

    def _verdicts(self, profile: Profile, ended: bool) -> tuple[Verdict, ...]:
        if isinstance(self.rule, ProfilerReport):
            rules = [rule for rule in self.rule.rules if ended or not _waits(rule)]
            return replace(self.rule, rules=tuple(rules)).verdicts(profile)
        return (judged(self.rule, profile),) if ended or not _waits(self.rule) else ()

    def _report(self, profile: Profile, verdicts: Sequence[Verdict], debugger: Sequence[Mapping[str, Any]]) -> str:
        """Why the report could not be written; "" where it was, or is not asked for."""
        if not isinstance(self.rule, ProfilerReport):
            return ""
        try:
            self.write_report(profile, verdicts, debugger, self.folder, self.source)
        except Exception as error:  # noqa: BLE001 - the rules' verdicts stand without it
            _LOG.warning("the report could not be written", exc_info=True)
            return f"the report could not be written: {type(error).__name__}: {error}"
        return ""

    def _status(self, verdicts: Sequence[Verdict], findings: tuple[Finding, ...], trouble: str) -> tuple[Status, str]:
        failures = [f"the rule {each.rule} failed: {failure(each)}" for each in verdicts if failure(each)]
        failures += [trouble] if trouble else []
        if findings:
            then = f" Besides, {'; '.join(failures)}." if failures else ""
            return Status.ISSUES_FOUND, shortened(condition_met(self.rule.name, _by_gain(findings)) + then)
        if failures:
            return Status.ERROR, shortened("; ".join(failures))
        if len(verdicts) == 1 and verdicts[0].unable:
            return Status.NO_ISSUES_FOUND, f"The rule {self.rule.name} could judge nothing: {verdicts[0].unable}"
        return Status.NO_ISSUES_FOUND, ""


def _waits(rule: Rule) -> bool:
    """Whether the rule judges whole jobs only."""
    return bool(getattr(rule, "at_the_end", False))


def _by_gain(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda each: -(each.gain_s or 0.0)))


def condition_met(rule: str, findings: Sequence[Finding]) -> str:
    """Why a rule's status is IssuesFound, in AWS's words and our own. AWS's count steps; a profile has none to name."""
    more = f" ({len(findings) - 1} more)" if len(findings) > 1 else ""
    said = findings[0].message.rstrip(".")
    return shortened(f"RuleEvaluationConditionMet: {RuleEvaluationConditionMet(rule, 0)}. {said}{more}.")
