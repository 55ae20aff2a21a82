"""The whole page."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sagehound.profile.report.live import document, safe_json, script
from sagehound.profile.report.markup import Html, element, markup, raw
from sagehound.profile.report.material import Material
from sagehound.profile.report.sections.batch_size import batch_size
from sagehound.profile.report.sections.cost import cost
from sagehound.profile.report.sections.cpu_bottlenecks import cpu_bottlenecks
from sagehound.profile.report.sections.debugger import debugger
from sagehound.profile.report.sections.io_bottlenecks import io_bottlenecks
from sagehound.profile.report.sections.load_balancing import load_balancing
from sagehound.profile.report.sections.memory import memory
from sagehound.profile.report.sections.operators import operators
from sagehound.profile.report.sections.phases import phases
from sagehound.profile.report.sections.problems import problems
from sagehound.profile.report.sections.rules import rules
from sagehound.profile.report.sections.steps import steps
from sagehound.profile.report.sections.summary import summary
from sagehound.profile.report.sections.system_usage import system_usage
from sagehound.profile.report.sections.timeline import timeline
from sagehound.profile.report.sections.utilisation import utilisation
from sagehound.profile.report.sections.verdict import verdict
from sagehound.profile.report.units import duration, moment

#: In the order in which they stand in the page: what to do, what happened, why, and the numbers behind it.
SECTIONS = (
    verdict,
    timeline,
    phases,
    steps,
    operators,
    rules,
    debugger,
    summary,
    system_usage,
    utilisation,
    batch_size,
    cpu_bottlenecks,
    io_bottlenecks,
    load_balancing,
    memory,
    cost,
    problems,
)
_CONTENTS = (
    ("verdict", "Verdict"),
    ("time", "Over time"),
    ("phases", "Phases"),
    ("steps", "Steps"),
    ("operators", "Operators"),
    ("rules", "Rules"),
    ("debugger", "Debugger"),
    ("summary", "Job"),
    ("usage", "System"),
    ("utilisation", "Utilisation"),
    ("cost", "Cost"),
    ("problems", "Data"),
)
#: The browser is told to fetch nothing at all, whatever stands in the page.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)


def page(material: Material) -> str:
    """The report as one HTML document."""
    name = material.profile.job.name or "unnamed job"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{name}: profiler report"),
        element("style", raw(_file("style.css"))),
    )
    body = element(
        "body",
        _header(material, name),
        _contents(),
        element("main", [make(material) for make in SECTIONS]),
        _footer(),
        _scripts(material),
    )
    return f'<!DOCTYPE html>\n<html lang="en">{head}{body}</html>\n'


def _header(material: Material, name: str) -> Html:
    job, course = material.profile.job, material.course
    told = (
        job.status,
        job.instance_type,
        f"started {moment(course.begin_s)}" if course.begin_s else "",
        duration(course.length_s),
    )
    return element(
        "header",
        element("p", "Profiler report", class_="kind"),
        element("h1", name),
        element("p", " · ".join(each for each in told if each), class_="told"),
    )


def _contents() -> Html:
    links = [element("li", element("a", words, href=f"#{key}")) for key, words in _CONTENTS]
    return element("nav", element("ul", links), aria_label="Sections")


def _footer() -> Html:
    return element(
        "footer",
        element(
            "p",
            "Written by Sagehound. This file needs no network and sends nothing. "
            "The notebook beside it draws the same charts.",
        ),
    )


def _scripts(material: Material) -> Html | None:
    if not material.charts:
        return None
    figures, roots = document(material.charts)
    return markup(
        element("script", raw(figures), type="application/json", id="figures"),
        element("script", raw(safe_json(roots)), type="application/json", id="roots"),
        element("script", raw(script())),
        element("script", raw(_file("live.js"))),
    )


@cache
def _file(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
