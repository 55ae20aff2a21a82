"""Losses, steps and machine on one axis of time."""

from __future__ import annotations

from sagehound.pages.markup import Html, element, markup
from sagehound.pages.pieces import note, section, table
from sagehound.pages.units import amount, clock, count
from sagehound.profile.report.chart import Chart
from sagehound.profile.report.charts_of_curves import undrawn
from sagehound.profile.report.material import Material
from sagehound.profile.report.still import still

_BUTTONS = (("in", "Zoom in"), ("out", "Zoom out"), ("earlier", "Earlier"), ("later", "Later"), ("all", "Whole job"))
#: Rows of the table that says a chart's numbers.
_ROWS = 12


def timeline(material: Material) -> Html:
    """The charts, each with its numbers in words and as a table."""
    if not material.charts:
        return section("time", "Over time", note("No samples and no steps were recorded, so there is nothing to draw."))
    left_out = undrawn(material.profile)
    return section(
        "time",
        "Over time",
        note(
            "All charts share one axis of time, in UTC. ",
            element(
                "span",
                "Drag across a chart, or use the buttons, to look at a part of it; all of them follow.",
                class_="needs-live",
            ),
        ),
        _controls(),
        [_figure(chart) for chart in material.charts],
        note(f"{count(left_out, 'further metric')} not drawn, to keep this readable.") if left_out else None,
    )


def _controls() -> Html:
    buttons = [element("button", words, type="button", data_zoom=what) for what, words in _BUTTONS]
    shown = element("output", "", id="shown", aria_live="polite")
    return element("div", buttons, shown, class_="controls needs-live", role="group", aria_label="Zoom all charts")


def _figure(chart: Chart) -> Html:
    return element(
        "figure",
        element("h3", chart.title, element("span", f" in {chart.axis[1]}", class_="unit") if chart.unit else None),
        _keys(chart),
        element(
            "div",
            id=f"chart-{chart.key}",
            class_="live",
            role="img",
            aria_label=f"{chart.title} over time. {chart.in_words()}",
        ),
        still(chart),
        element("figcaption", chart.in_words(short=True), f" {chart.note}" if chart.note else None),
        element("details", element("summary", "These numbers as a table"), _numbers(chart)),
    )


def _keys(chart: Chart) -> Html:
    keys = [
        element(
            "li",
            element("span", class_=f"swatch c{line.ink}") if chart.stacked else _sample(line.ink, place),
            line.name,
        )
        for place, line in enumerate(chart.lines)
    ]
    return element("ul", keys, class_="keys")


def _sample(ink: int, place: int) -> Html:
    """A piece of the line, in its colour and its dashes."""
    piece = element("line", x1=0, x2=27, y1=3, y2=3, class_=f"curve c{ink} s{place % 5}")
    return element("svg", piece, class_="sample", viewBox="0 0 27 6", aria_hidden="true", focusable="false")


def _numbers(chart: Chart) -> Html:
    begin, end = chart.span
    head = ["From", *(f"{line.name}: {word}" for line in chart.lines for word in ("lowest", "mean", "highest"))]
    rows = []
    for place in range(_ROWS):
        low, high = (begin + (end - begin) * each / _ROWS for each in (place, place + 1))
        row = [clock(low, end - begin > 20 * 3600)]
        for line in chart.lines:
            inside = (line.at_s >= low) & ((line.at_s < high) | (place == _ROWS - 1))
            some = inside.any()
            found = (line.low[inside].min(), line.mean[inside].mean(), line.high[inside].max()) if some else ()
            row += [amount(float(value), chart.unit) for value in found] or ["–"] * 3
        rows.append(row)
    return markup(table(f"{chart.title} over time", head, rows))
