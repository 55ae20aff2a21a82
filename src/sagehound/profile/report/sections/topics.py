"""Sections that are one question each, answered by rules: what was asked, what the rules say, and the numbers."""

from __future__ import annotations

from sagehound.pages.markup import Html
from sagehound.pages.pieces import note, section, table
from sagehound.profile.report.material import Material
from sagehound.profile.report.pieces import verdicts


def topic(
    material: Material, key: str, title: str, question: str, rules: tuple[str, ...], dimensions: tuple[str, ...]
) -> Html:
    """The question, the answers, and the p95, p50 and mean of the dimensions that it is about."""
    rows = []
    for each in material.digests:
        if each.dimension in dimensions and each.spread is not None:
            spread = (f"{value:.0f} %" for value in (each.spread.p95, each.spread.p50, each.spread.mean))
            rows.append([each.node, each.dimension, each.name, *spread])
    head = ("Node", "Metric", "Of", "p95", "p50", "Mean")
    return section(
        key,
        title,
        note(question),
        verdicts(material, rules),
        table(f"{title}: the numbers", head, rows, range(3, 99)) if rows else None,
    )
