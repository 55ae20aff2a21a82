"""Every rule: how often it fired, on what evidence, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagehound.pages.markup import Child, Html, element, markup
from sagehound.pages.pieces import note, section, table
from sagehound.pages.units import clock, count
from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.report.material import Material, anchor, spoken
from sagehound.profile.report.pieces import evidence, gain

#: Taken because it is documented; every rule says that it has no effect here.
_IDLE = "scan_interval_us"
_HEAD = ("Rule", "Answer", "Times triggered", "Datapoints", "Parameters")


def rules(material: Material) -> Html:
    """A table of all, then the findings in full."""
    if not material.verdicts:
        return section("rules", "Rules", note("No rule was run on this job."))
    ordered = sorted(material.verdicts, key=lambda each: (not each.findings, bool(each.unable), each.rule))
    fired = [each for each in ordered if each.findings]
    return section(
        "rules",
        "Rules and their evidence",
        [_in_full(each, material) for each in fired],
        table("All rules that were run", _HEAD, (_row(each) for each in ordered), numbers=range(2, 4)),
    )


def _row(verdict: Verdict) -> list[Child]:
    name: Child = element("span", spoken(verdict.rule), id=None if verdict.findings else anchor(verdict.rule))
    if verdict.findings:
        name = element("a", spoken(verdict.rule), href=f"#{anchor(verdict.rule)}")
    return [
        name,
        _answer(verdict),
        f"{verdict.violations:,}",
        f"{verdict.datapoints:,}",
        _parameters(verdict.parameters),
    ]


def _answer(verdict: Verdict) -> str:
    if verdict.unable:
        return f"Could not judge: {verdict.unable}"
    if verdict.findings:
        return count(len(verdict.findings), "finding")
    return "Triggered, no loss found" if verdict.violations else "Nothing found"


def _parameters(parameters: Mapping[str, Any]) -> Html:
    return element(
        "span",
        ", ".join(f"{name} {value}" for name, value in parameters.items() if name != _IDLE) or "none",
        class_="small",
    )


def _in_full(verdict: Verdict, material: Material) -> Html:
    return element(
        "article",
        element("h3", spoken(verdict.rule)),
        [_finding(each, material) for each in verdict.findings],
        id=anchor(verdict.rule),
        class_="rule",
    )


def _finding(finding: Finding, material: Material) -> Html:
    times = [each for each in (finding.from_s, finding.to_s) if each is not None]
    when = " to ".join(clock(each, material.course.is_long) for each in times)
    return markup(
        element("p", finding.message),
        element("p", element("strong", "Change: "), finding.change),
        element("pre", element("code", finding.code)) if finding.code else None,
        element(
            "p", element("strong", "Expected gain: "), gain(finding, material.course.length_s), ". ", _how(finding)
        ),
        evidence(finding),
        note(f"Seen from {when} UTC.") if when else None,
    )


def _how(finding: Finding) -> str | None:
    return f"Estimate: {finding.estimate.rstrip('.')}." if finding.estimate else None
