"""The parts that the sections are put together from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sagehound.profile.finding import Finding, Verdict
from sagehound.profile.report.markup import Child, Html, element, markup
from sagehound.profile.report.material import Material, anchor, spoken
from sagehound.profile.report.units import count, duration, number, share


def section(key: str, title: str, *body: Child) -> Html:
    """A landmark with its heading."""
    return element("section", element("h2", title, id=f"h-{key}"), *body, id=key, aria_labelledby=f"h-{key}")


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Child]], numbers: range = range(1, 99)) -> Html:
    """A table that can be scrolled sideways by itself; the columns `numbers` hold numbers, and the first cell of
    each row is its head."""
    cells = [element("th", title, scope="col", class_="n" if i in numbers else None) for i, title in enumerate(head)]
    lines = [
        element(
            "tr",
            element("th", row[0], scope="row"),
            *(element("td", cell, class_="n" if i in numbers else None) for i, cell in enumerate(row[1:], 1)),
        )
        for row in rows
    ]
    whole = element(
        "table", element("caption", caption), element("thead", element("tr", cells)), element("tbody", lines)
    )
    return element("div", whole, class_="scroll", role="region", aria_label=caption, tabindex=0)


def note(*text: Child) -> Html:
    return element("p", *text, class_="note")


def bar(part: float, ink: int = 1) -> Html:
    """A share as a bar beside its number; the number says it, the bar only shows it."""
    width = f"{100 * min(max(part, 0.0), 1.0):.1f}%"
    return element("span", element("i", class_=f"c{ink}", style=f"width:{width}"), class_="bar", aria_hidden="true")


def part(value: float, whole: float, ink: int = 1) -> Html:
    """A share in a cell: bar and number."""
    return markup(bar(value / whole if whole > 0 else 0.0, ink), element("span", share(value, whole), class_="share"))


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
