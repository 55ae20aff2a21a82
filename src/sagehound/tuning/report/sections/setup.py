"""What was asked for."""

from __future__ import annotations

from sagehound.pages.markup import Child, Html
from sagehound.pages.pieces import section, table
from sagehound.pages.units import moment
from sagehound.tuning.report.material import Material
from sagehound.tuning.report.study import shown
from sagehound.tuning.space import Categorical, Range


def setup(material: Material) -> Html:
    """The ranges as they were searched, and the settings of the tuning job."""
    study = material.study
    ranges: list[list[Child]] = [[given.name, *_range(given)] for given in study.ranges]
    resource = f", {study.resource[0]} to {study.resource[1]} epochs" if study.resource else ""
    facts: list[list[Child]] = [
        ["Objective", f"{'maximize' if study.maximize else 'minimize'} {study.metric}"],
        ["Strategy", f"{study.strategy}{resource}"],
        ["Early stopping", "on" if study.early_stopping else "off"],
        ["Trials", f"{study.max_trials or 'as many as there are combinations'}, {study.max_parallel} side by side"],
        ["Instances", f"{study.instances} of {study.instance_type}" if study.instance_type else "unknown"],
        ["Started", moment(study.created_s)],
        ["Ended", moment(study.ended_s) if study.ended_s is not None else f"not by {moment(study.read_s)}"],
    ]
    if study.parents:
        facts.append(["Warm start from", ", ".join(study.parents)])
    own = {name: shown(value) for name, value in study.static.items() if not name.startswith(("sagemaker_", "_"))}
    facts += [[f"Fixed: {name}", value] for name, value in sorted(own.items())]
    return section(
        "setup",
        "What was searched",
        table("Ranges", ("Hyperparameter", "Values", "Scale"), ranges, range(0)),
        table("Settings", ("What", "Value"), facts, range(0)),
    )


def _range(given: Range) -> tuple[str, str]:
    if isinstance(given, Categorical):
        return ", ".join(shown(each) for each in given.categories), "categories"
    kind = {"Logarithmic": "logarithmic", "ReverseLogarithmic": "reverse logarithmic"}.get(given.scaling, "linear")
    return f"{given.low:g} to {given.high:g}", kind
