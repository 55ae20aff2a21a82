"""How the sections show findings and verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from sagehound.pages.markup import Html, element, markup
from sagehound.pages.pieces import note
from sagehound.pages.units import count, duration, number, share
from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.report.material import Material, anchor, spoken


def gain(finding: Finding, whole_s: float) -> str:
    """The expected gain, in words."""
    if finding.gain_s is None:
        return "No gain in time"
    if finding.gain_s <= 0:
        return "No gain in time expected"
    word = "at most" if finding.estimate.lower().startswith("at most") else "about"
    return f"Saves {word} {duration(finding.gain_s)} ({share(finding.gain_s, whole_s)} of the job)"


def evidence(finding: Finding) -> Html | None:
    """The measured values and limits by name."""
    pairs = [(name.replace("_", " "), _value(value)) for name, value in finding.evidence.items()]
    if finding.operators:
        pairs.append(("operators", ", ".join(finding.operators)))
    if not pairs:
        return None
    return element(
        "dl", [element("div", element("dt", name), element("dd", value)) for name, value in pairs], class_="facts"
    )


def verdicts(material: Material, rules: Sequence[str]) -> Html:
    """What these rules said, in a few lines, with the way to their evidence."""
    found = material.of(*rules)
    if not found:
        return note("No rule on this was run.")
    return element("ul", [element("li", _said(each)) for each in found], class_="verdicts")


def _said(verdict: Verdict) -> Html:
    name = element("a", spoken(verdict.rule), href=f"#{anchor(verdict.rule)}")
    if verdict.unable:
        return markup(name, ": could not judge: ", verdict.unable, ".")
    if not verdict.findings:
        return markup(
            name,
            ": nothing found."
            if not verdict.violations
            else f": triggered {count(verdict.violations, 'time')}, no loss found.",
        )
    return markup(name, ": ", " ".join(finding.message for finding in verdict.findings[:3]))


def _value(value: float | str) -> str:
    return value if isinstance(value, str) else number(float(value))
