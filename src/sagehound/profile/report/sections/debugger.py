"""What the debugger found in the tensors of this training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagehound.pages.markup import Html, element, markup
from sagehound.pages.pieces import note, section
from sagehound.pages.units import number
from sagehound.profile.report.material import Material, anchor, spoken

#: More findings than this of one rule say nothing new.
_SHOWN = 5


def debugger(material: Material) -> Html:
    """The debugger's findings by rule, each with its cure."""
    title = "Findings of the debugger"
    if not material.debugger:
        return section("debugger", title, note("None: no rule of the debugger was run, or none found anything."))
    by_rule: dict[str, list[Mapping[str, Any]]] = {}
    for finding in material.debugger:
        by_rule.setdefault(str(finding.get("rule", "")), []).append(finding)
    return section("debugger", title, [_rule(rule, found) for rule, found in by_rule.items()])


def _rule(rule: str, found: list[Mapping[str, Any]]) -> Html:
    rest = len(found) - _SHOWN
    return element(
        "article",
        element("h3", spoken(rule)),
        [_finding(each) for each in found[:_SHOWN]],
        note(f"And {rest} more like these.") if rest > 0 else None,
        id=f"debugger-{anchor(rule)}",
        class_="rule",
    )


def _finding(finding: Mapping[str, Any]) -> Html:
    where = [f"step {finding.get('step', '?')} ({finding.get('mode', 'GLOBAL')})"]
    where += [str(finding[key]) for key in ("module", "tensor") if finding.get(key)]
    numbers = finding.get("numbers") or {}
    measured = ", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in numbers.items())
    change = finding.get("change")
    return markup(
        element("p", finding.get("message", "")),
        element("p", finding["why"]) if finding.get("why") else None,
        element("p", element("strong", "Change: "), change) if change else None,
        note(", ".join(where), f"; {measured}" if measured else None, "."),
    )


def _value(value: object) -> str:
    return number(float(value)) if isinstance(value, int | float) else str(value)
