"""All rules together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sagehound.profile.finding import Rule, Verdict
from sagehound.profile.findings.judging import failure, judged
from sagehound.profile.profile import Profile


@dataclass(frozen=True)
class ProfilerReport:
    """Judges by every rule, and is triggered when one of them is. Its parameters are those of its rules, each as
    `<Rule>_<parameter>` (the registry makes them), and `scan_interval_us`, which is taken and has no effect."""

    rules: tuple[Rule, ...] = ()
    scan_interval_us: int = 60_000_000

    name: ClassVar[str] = "ProfilerReport"

    def verdicts(self, profile: Profile) -> tuple[Verdict, ...]:
        """Each rule's own, in the registry's order."""
        return tuple(judged(rule, profile) for rule in self.rules)

    def judge(self, profile: Profile) -> Verdict:
        return self.together(self.verdicts(profile))

    def together(self, verdicts: Sequence[Verdict]) -> Verdict:
        """One verdict of several: their findings, those with most to gain first."""
        findings = [finding for verdict in verdicts for finding in verdict.findings]
        able = [verdict for verdict in verdicts if not verdict.unable]
        return Verdict(
            rule=self.name,
            findings=tuple(sorted(findings, key=lambda each: -(each.gain_s or 0.0))),
            violations=sum(bool(verdict.findings) for verdict in verdicts),
            datapoints=max((verdict.datapoints for verdict in verdicts), default=0),
            parameters={f"{v.rule}_{name}": value for v in verdicts for name, value in v.parameters.items()},
            details={
                "triggered": [verdict.rule for verdict in verdicts if verdict.findings],
                "unable": {verdict.rule: verdict.unable for verdict in verdicts if verdict.unable},
                "failed": {verdict.rule: failure(verdict) for verdict in verdicts if failure(verdict)},
            },
            unable="" if able or not verdicts else "; ".join(sorted({verdict.unable for verdict in verdicts})),
        )
