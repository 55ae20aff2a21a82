"""The whole page."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sagehound.pages.frame import contents, document, footer, header
from sagehound.pages.live import scripts
from sagehound.pages.markup import Html, element
from sagehound.pages.units import duration, moment
from sagehound.profile.report.live import figures
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
from sagehound.profile.report.sections.traces import traces
from sagehound.profile.report.sections.utilisation import utilisation
from sagehound.profile.report.sections.verdict import verdict

#: In the order in which they stand in the page: what to do, what happened, why, and the numbers behind it.
SECTIONS = (
    verdict,
    timeline,
    phases,
    steps,
    operators,
    traces,
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
    ("traces", "Traces"),
    ("rules", "Rules"),
    ("debugger", "Debugger"),
    ("summary", "Job"),
    ("usage", "System"),
    ("utilisation", "Utilisation"),
    ("cost", "Cost"),
    ("problems", "Data"),
)


def page(material: Material) -> str:
    """The report as one HTML document."""
    name = material.profile.job.name or "unnamed job"
    drawn = dict(zip((chart.key for chart in material.charts), figures(material.charts), strict=True))
    return document(
        f"{name}: profiler report",
        _header(material, name),
        contents(_CONTENTS),
        element("main", [make(material) for make in SECTIONS]),
        footer("The notebook beside it draws the same charts."),
        scripts(drawn, own=_zoom()),
    )


def _header(material: Material, name: str) -> Html:
    job, course = material.profile.job, material.course
    started = f"started {moment(course.begin_s)}" if course.begin_s else ""
    return header("Profiler report", name, (job.status, job.instance_type, started, duration(course.length_s)))


@cache
def _zoom() -> str:
    return (Path(__file__).parent / "zoom.js").read_text(encoding="utf-8")
