"""Sections that are one question each, answered by rules: what was asked, what the rules say, and the numbers."""

from __future__ import annotations

import numpy as np

from sagehound.profile.report.markup import Html
from sagehound.profile.report.material import Material
from sagehound.profile.report.pieces import note, section, table, verdicts


def topic(
    material: Material, key: str, title: str, question: str, rules: tuple[str, ...], dimensions: tuple[str, ...]
) -> Html:
    """The question, the answers, and the p95, p50 and mean of the dimensions that it is about."""
    rows = []
    for each in material.series:
        known = each.values[np.isfinite(each.values)]
        if each.dimension in dimensions and len(known):
            p95, p50 = (f"{value:.0f} %" for value in np.percentile(known, (95, 50)))
            rows.append([each.node, each.dimension, each.name, p95, p50, f"{known.mean():.0f} %"])
    head = ("Node", "Metric", "Of", "p95", "p50", "Mean")
    return section(
        key,
        title,
        note(question),
        verdicts(material, rules),
        table(f"{title}: the numbers", head, rows, range(3, 99)) if rows else None,
    )
