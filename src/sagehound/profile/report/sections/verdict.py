"""The first screen: where the time went, and what to change."""

from __future__ import annotations

from sagehound.pages.markup import Html, element, markup
from sagehound.pages.pieces import bar, note, section
from sagehound.pages.units import count, duration, share
from sagehound.profile.finding import Finding
from sagehound.profile.report.course import Part
from sagehound.profile.report.material import Material, anchor, spoken
from sagehound.profile.report.pieces import gain

#: So many changes stand in the first screen.
CHANGES = 3
#: Where the cores are used by so many percent, of them this many by others, a job that computes has waited for some.
_FULL_PERCENT, _OTHERS_PERCENT, _OWN_PERCENT = 80.0, 25.0, 5.0
_IN_STEPS = ("loader", "copy", "forward", "backward", "optimizer", "rest")


def verdict(material: Material) -> Html:
    """Read in ten seconds: a sentence, a bar, three changes."""
    return section(
        "verdict",
        "Where the time went",
        element("p", _sentence(material), class_="lead"),
        _bar(material.course.parts, material.course.length_s),
        _legend(material.course.parts, material.course.length_s),
        element("h3", _title(material)),
        _changes(material),
        _debugger(material),
        _others(material),
    )


def _sentence(material: Material) -> str:
    course = material.course
    if course.length_s <= 0:
        return "Nothing was recorded: the job left no samples and no steps."
    if course.loop is None:
        return (
            f"The job ran for {duration(course.length_s)}. No training step was seen in it, so it is only known what "
            "the machine did."
        )
    steps = sum(part.seconds for part in course.parts if part.key in _IN_STEPS)
    largest = max(course.parts, key=lambda part: part.seconds)
    return (
        f"The job ran for {duration(course.length_s)}; training steps took {share(steps, course.length_s)} of it. "
        f"The largest part: {largest.label.lower()}, {share(largest.seconds, course.length_s)} "
        f"({duration(largest.seconds)})."
    )


def _bar(parts: tuple[Part, ...], whole_s: float) -> Html:
    pieces = [
        element(
            "span",
            element("b", place) if part.seconds > 0.03 * whole_s else None,
            class_=f"c{part.ink}",
            style=f"flex-grow:{max(part.seconds / whole_s, 0.002):.4f}" if whole_s > 0 else None,
            title=f"{part.label}: {duration(part.seconds)}",
        )
        for place, part in enumerate(parts, 1)
    ]
    return element("div", pieces, class_="parts", aria_hidden="true")


def _legend(parts: tuple[Part, ...], whole_s: float) -> Html:
    rows = [
        element(
            "li",
            element("span", place, class_=f"key c{part.ink}", aria_hidden="true"),
            element("span", part.label, class_="label"),
            " ",
            element("span", share(part.seconds, whole_s), class_="share"),
            " ",
            element("span", duration(part.seconds), class_="seconds"),
        )
        for place, part in enumerate(parts, 1)
    ]
    return element("ol", rows, class_="legend", aria_label="Parts of the job's time, in order")


def _title(material: Material) -> str:
    found = len(material.worth_most)
    if not found:
        return "What to change"
    return "The change worth most" if found == 1 else f"The {min(found, CHANGES)} changes worth most"


def _changes(material: Material) -> Html:
    found = material.worth_most
    if not found:
        judged = [each for each in material.verdicts if not each.unable]
        unable = len(material.verdicts) - len(judged)
        said = f"{count(len(judged), 'rule')} looked and found nothing worth changing."
        if not judged:
            said = "No rule could judge this job." if material.verdicts else "No rule was run on this job."
        if not unable:
            return element("p", said)
        others = f" {count(unable, 'rule')} could not judge: " if judged else " See "
        return element("p", said, others, element("a", "the reasons", href="#rules"), ".")
    cards = [element("li", _card(finding, material.course.length_s)) for finding in found[:CHANGES]]
    rest = len(found) - CHANGES
    more = note(element("a", f"{count(rest, 'more finding')}", href="#rules"), " below.") if rest > 0 else None
    return markup(element("ol", cards, class_="changes"), more)


def _card(finding: Finding, whole_s: float) -> Html:
    won = (finding.gain_s or 0.0) / whole_s if whole_s > 0 else 0.0
    return element(
        "article",
        element("p", gain(finding, whole_s), bar(won) if won > 0 else None, class_="gain"),
        element("h4", finding.change),
        element("p", finding.message),
        element("pre", element("code", finding.code)) if finding.code else None,
        element("p", f"Estimate: {finding.estimate}.".replace("..", "."), class_="note") if finding.estimate else None,
        element("p", element("a", f"Evidence: {spoken(finding.rule)}", href=f"#{anchor(finding.rule)}"), class_="note"),
    )


def _debugger(material: Material) -> Html | None:
    if not material.debugger:
        return None
    found = count(len(material.debugger), "finding")
    return element("p", "The debugger has ", element("a", found, href="#debugger"), " on what this training computed.")


def _others(material: Material) -> Html | None:
    """That the machine was busy with something else: a reader would take its slowness for the job's."""
    used = [each for each in material.digests if each.dimension == "CPUUtilization" and each.spread is not None]
    whole = [each.spread.mean for each in used if each.whole and each.spread]
    own = [each.spread.mean for each in used if each.name == "job" and each.spread]
    # Hosts of one job may share a machine: each would take the others for strangers.
    if len(whole) != 1 or len(own) != 1 or whole[0] < _FULL_PERCENT or own[0] < _OWN_PERCENT:
        return None
    if whole[0] - own[0] < _OTHERS_PERCENT:
        return None
    return note(
        f"Something else used {whole[0] - own[0]:.0f} % of the cores meanwhile, on average, and this job "
        f"{own[0]:.0f} %: alone it would have been faster, so take times and gains with care."
    )
