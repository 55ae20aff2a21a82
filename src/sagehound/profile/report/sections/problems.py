"""What was wrong with the data that this report is made of."""

from __future__ import annotations

from sagehound.pages.markup import Html, element
from sagehound.pages.pieces import note, section
from sagehound.profile.report.material import Material


def problems(material: Material) -> Html:
    """Said outright, so that nobody takes a gap for a fact."""
    found = [*material.profile.job.problems, *_outside(material)]
    title = "What was wrong with the data"
    if not found:
        return section("problems", title, note("Nothing: all that was recorded could be read."))
    return section("problems", title, element("ul", [element("li", _sentence(each)) for each in found]))


def _sentence(problem: str) -> str:
    said = problem[:1].upper() + problem[1:]
    return said if said.endswith((".", "!", "?")) else f"{said}."


def _outside(material: Material) -> list[str]:
    """Samples whose time lies outside the job: the charts leave them out."""
    course = material.course
    if course.length_s <= 0 or not material.profile.system.num_rows:
        return []
    at_s = material.profile.system["timestamp_s"].to_numpy()
    margin = 2.0 + 2 * material.profile.job.interval_ms / 1000
    strangers = int(((at_s < course.begin_s - margin) | (at_s > course.end_s + margin)).sum())
    return (
        [f"{strangers} samples carry times outside the job, and are in the tables but not in the charts"]
        if strangers
        else []
    )
