"""The sections that are mostly charts."""

from __future__ import annotations

from sagehound.pages.markup import Html, element
from sagehound.pages.pieces import bar, note, section, table
from sagehound.pages.units import count, share
from sagehound.tuning.report.figure_piece import chart
from sagehound.tuning.report.importance import FIRM, LEAST
from sagehound.tuning.report.material import Material


def objective(material: Material) -> Html:
    """The objective over trials, and over time."""
    if not material.objective:
        return section("objective", "Objective", note("No trial has an objective, so there is nothing to draw."))
    zoom = element("span", "Drag across a chart to look at a part of it; point at a mark to see its trial.")
    return section(
        "objective",
        "Objective",
        element("p", zoom, class_="note needs-live"),
        [chart(plot) for plot in material.objective],
    )


def parallel(material: Material) -> Html | None:
    """Parallel coordinates, from which a reader chooses trials."""
    if material.parallel is None:
        return None
    words = "Drag along an axis to see only the trials that pass there; with Shift held, along another to narrow it."
    choice = element(
        "div",
        element("span", words, class_="note"),
        element("button", "All trials", type="button", data_choose="all"),
        element("output", "", id="chosen", aria_live="polite"),
        class_="controls needs-live needs-mouse still-place",
    )
    return section("parallel", "All hyperparameters at once", chart(material.parallel, choice))


def curves(material: Material) -> Html | None:
    """What each trial reported as it trained."""
    return None if material.curves is None else section("curves", "Learning curves", chart(material.curves))


def hyperparameters(material: Material) -> Html | None:
    """Each hyperparameter against the objective."""
    if not material.hyperparameters:
        return None
    plots = [chart(plot) for plot in material.hyperparameters]
    left_out = len(material.study.ranges) - len(plots)
    return section(
        "each",
        f"Each hyperparameter and {material.study.metric}",
        element("div", plots, class_="grid"),
        note(f"{count(left_out, 'further hyperparameter')} in the table of all trials.") if left_out else None,
    )


def importance(material: Material) -> Html:
    """How much each mattered, with how far that can be trusted."""
    found = material.importance
    if found is None:
        why = (
            f"It takes at least {LEAST} trials with different objectives and two hyperparameters to tell how much each "
            "one mattered."
        )
        return section("importance", "Importance", note(why))
    few = (
        element(
            "p",
            element("strong", f"Reckoned from {found.trials} trials only. "),
            f"With fewer than {FIRM} these shares change from one search to the next; read them as a hint.",
        )
        if found.trials < FIRM
        else None
    )
    rows = [(name, element("span", bar(part), share(part, 1.0))) for name, part in found.shares.items()]
    return section(
        "importance",
        "Importance",
        few,
        table(f"Share of the differences in {material.study.metric}", ("Hyperparameter", "Share"), rows, range(0)),
        note(
            f"{found.method} over {found.trials} trials, by Optuna: how much of the variance of the objective a "
            "hyperparameter explains within its range. It does not say which value is good. A trial that was stopped "
            "counts with the last value that it reported."
        ),
    )
