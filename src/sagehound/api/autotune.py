"""Autotune: ranges made around the example values of a request, and the limits that it leaves open.

AWS does not say how it chooses. Here, of the AutoParameters:

- a number between 0 and 1, both not included, that was not given as a text is searched on a logarithmic scale from a
  tenth of it up to ten times as much, and no nearer to 1 than half of what is left; from 0.5 on, as shares and momenta
  are, what it leaves to 1 is searched in this way instead, down from 1;
- a larger number with a fraction from a tenth to ten times as much, logarithmically;
- a whole number from 2 on from a quarter to four times as much, logarithmically;
- anything else keeps its value in every trial: texts, flags, 0, 1 and negative numbers, and whatever by its name is no
  choice of training (a seed, a count of classes, workers or epochs, a size of an image, what is printed when).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from sagehound.api.parameter_ranges import combinations, parameter_ranges
from sagehound.errors import InvalidInput
from sagehound.jobs.arguments import is_reserved
from sagehound.records.record import Document

#: The most trials where the request names no number, and how often each is run again after an InternalServerError.
JOBS = 20
RETRIES = 2
_FRACTION = re.compile(r"\d*\.\d+([eE][+-]?\d+)?|\d+\.?[eE]-\d+")
_WHOLE = re.compile(r"\d+")
_NO_CHOICE = re.compile(
    r"seed|class|label|epoch|iter|step|worker|thread|proc|gpu|device|node|host|rank|port|log|print|verbose|interval|"
    r"freq|save|test|val|eval|image|img|crop|channel|input|output|width|height|version|resume|patience"
)


def autotuned(request: dict[str, Any]) -> dict[str, Any]:
    """`request` with what Autotune chooses; itself where it does not ask for that. InvalidInput where AutoParameters
    come without Autotune, or nothing is left to search."""
    enabled = request.get("Autotune", {}).get("Mode") == "Enabled"
    config = request["HyperParameterTuningJobConfig"]
    several = request.get("TrainingJobDefinitions", [])
    places = [config.get("ParameterRanges", {}), *(each.get("HyperParameterRanges", {}) for each in several)]
    if not enabled:
        if any(place.get("AutoParameters") for place in places):
            raise InvalidInput("AutoParameters goes with Autotune; send Autotune={'Mode': 'Enabled'}, or ranges")
        return request
    definition = request.get("TrainingJobDefinition")
    if definition is not None:
        field = "ParameterRanges" if "ParameterRanges" in config else "HyperParameterRanges"
        holder = config if field == "ParameterRanges" else definition
        ranges, definition = _chosen(holder.get(field, {}), definition)
        if field == "ParameterRanges":
            config = {**config, field: ranges}
        else:
            definition = {**definition, field: ranges}
        request = {**request, "TrainingJobDefinition": _with_retries(definition)}
    if several:
        request = {**request, "TrainingJobDefinitions": [_with_retries(_with_ranges(each)) for each in several]}
    return {**request, "HyperParameterTuningJobConfig": _with_limits(config, request)}


def _with_ranges(definition: Document) -> Document:
    ranges, definition = _chosen(definition.get("HyperParameterRanges", {}), definition)
    return {**definition, "HyperParameterRanges": ranges}


def _with_retries(definition: Document) -> Document:
    return {"RetryStrategy": {"MaximumRetryAttempts": RETRIES}, **definition}


def _with_limits(config: Document, request: dict[str, Any]) -> Document:
    """The configuration with a number of trials, early stopping and an end at convergence, unless it says otherwise."""
    limits = config["ResourceLimits"]
    stopping = {} if config["Strategy"] == "Hyperband" else {"TrainingJobEarlyStoppingType": "Auto"}
    criteria = {"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}
    if "MaxNumberOfTrainingJobs" not in limits and config["Strategy"] != "Grid":
        limits = {**limits, "MaxNumberOfTrainingJobs": min(JOBS, _combinations(config, request))}
    return {
        **stopping,
        **config,
        "ResourceLimits": limits,
        "TuningJobCompletionCriteria": criteria | config.get("TuningJobCompletionCriteria", {}),
    }


def _combinations(config: Document, request: dict[str, Any]) -> int:
    definitions = request.get("TrainingJobDefinitions") or [request.get("TrainingJobDefinition", {})]
    ranges = [each.get("HyperParameterRanges", config.get("ParameterRanges", {})) for each in definitions]
    possible = sum(combinations(parameter_ranges(each, ())) for each in ranges)
    return int(min(JOBS, possible))


def _chosen(ranges: Document, definition: Document) -> tuple[Document, Document]:
    """The ranges with those of the AutoParameters, and the definition with the rest of them as static ones."""
    hints = {item["Name"]: item["ValueHint"] for item in ranges.get("AutoParameters", [])}
    found = {name: made for name, hint in hints.items() if (made := around(name, hint)) is not None}
    kinds = {
        kind: [*ranges.get(kind, []), *(item for of_kind, item in found.values() if of_kind == kind)]
        for kind in ("ContinuousParameterRanges", "CategoricalParameterRanges", "IntegerParameterRanges")
    }
    if not any(kinds.values()):
        raise InvalidInput(
            f"Autotune finds nothing to search among {', '.join(hints) or 'no AutoParameters'}: they are texts, flags, "
            "or no choices of training. Give at least one range"
        )
    static = {**definition.get("StaticHyperParameters", {}), **{n: h for n, h in hints.items() if n not in found}}
    return {**ranges, **kinds}, {**definition, "StaticHyperParameters": static}


def around(name: str, hint: str) -> tuple[str, Document] | None:
    """The kind of range for the hyperparameter `name` with the example value `hint`, and the range; None: it keeps
    its value.

    >>> around("lr", "0.01")
    ('ContinuousParameterRanges', {'Name': 'lr', 'MinValue': '0.001', 'MaxValue': '0.1', 'ScalingType': 'Logarithmic'})
    >>> around("batch-size", "32")[1]["MinValue"], around("batch-size", "32")[1]["MaxValue"]
    ('8', '128')
    >>> around("seed", "7"), around("model", '"resnet50"')
    (None, None)
    """
    if is_reserved(name) or _NO_CHOICE.search(name.lower()):
        return None
    if _WHOLE.fullmatch(hint):
        number = int(hint)
        return _integer(name, max(1, number // 4), number * 4) if number > 1 else None
    if not _FRACTION.fullmatch(hint) or Decimal(hint) == 0:
        return None
    value = Decimal(hint)
    if value >= 1:
        return _continuous(name, value / 10, value * 10, "Logarithmic")
    if value < Decimal("0.5"):
        return _continuous(name, value / 10, min(value * 10, (1 + value) / 2), "Logarithmic")
    return _continuous(name, max(Decimal(0), 1 - (1 - value) * 10), 1 - (1 - value) / 10, "ReverseLogarithmic")


def _continuous(name: str, low: Decimal, high: Decimal, scaling: str) -> tuple[str, Document]:
    low_text, high_text = (format(bound.normalize(), "f") for bound in (low, high))
    return "ContinuousParameterRanges", {
        "Name": name,
        "MinValue": low_text,
        "MaxValue": high_text,
        "ScalingType": scaling,
    }


def _integer(name: str, low: int, high: int) -> tuple[str, Document]:
    return "IntegerParameterRanges", {
        "Name": name,
        "MinValue": str(low),
        "MaxValue": str(high),
        "ScalingType": "Logarithmic",
    }
