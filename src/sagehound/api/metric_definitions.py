"""Metric definitions: the regular expressions that find a metric in a log."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sagehound.errors import InvalidInput
from sagehound.records.training import MetricDefinition


def metric_definitions(listed: Iterable[dict[str, str]]) -> tuple[MetricDefinition, ...]:
    """The request's `MetricDefinitions`; InvalidInput where one does not compile or has no group for the value."""
    return tuple(_definition(item["Name"], item["Regex"]) for item in listed)


def _definition(name: str, regex: str) -> MetricDefinition:
    try:
        groups = re.compile(regex).groups
    except re.error as error:
        raise InvalidInput(f"the regex {regex!r} of the metric {name!r} does not compile: {error}") from None
    if groups == 0:
        raise InvalidInput(
            f"the regex {regex!r} of the metric {name!r} has no group; put the value in parentheses: 'loss: ([0-9.]+)'"
        )
    return MetricDefinition(name=name, regex=regex)
