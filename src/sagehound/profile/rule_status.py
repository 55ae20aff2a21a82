"""What a rule of the profiler says of a job, and the file that it says it in; as the debugger's rules do."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import msgspec
import numpy as np

from sagehound.errors import RuleEvaluationConditionMet
from sagehound.profile.finding import Finding

#: As long as DescribeTrainingJob lets StatusDetails be.
_LONGEST_DETAILS = 1024


class Status(StrEnum):
    """As in DescribeTrainingJob."""

    IN_PROGRESS = "InProgress"
    NO_ISSUES_FOUND = "NoIssuesFound"
    ISSUES_FOUND = "IssuesFound"
    ERROR = "Error"


class RuleStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`updated_at` is seconds since the epoch."""

    status: Status = Status.IN_PROGRESS
    details: str = ""
    updated_at: float = 0.0
    findings: tuple[Finding, ...] = ()


def write(folder: Path, name: str, status: RuleStatus) -> None:
    """Write `<name>.json`, so that a reader sees the old file or the new one, never a part."""
    path = folder / f"{name.replace('/', '_')}.json"
    part = path.with_suffix(".json.part")
    part.write_bytes(msgspec.json.encode(status, enc_hook=_number))
    part.replace(path)


def condition_met(rule: str, findings: Sequence[Finding]) -> str:
    """Why a rule's status is IssuesFound, in AWS's words and our own. AWS's count steps; a profile has none to name."""
    more = f" ({len(findings) - 1} more)" if len(findings) > 1 else ""
    said = findings[0].message.rstrip(".")
    return shortened(f"RuleEvaluationConditionMet: {RuleEvaluationConditionMet(rule, 0)}. {said}{more}.")


def shortened(details: str) -> str:
    """Details that DescribeTrainingJob can give.

    >>> shortened("short"), len(shortened("x" * 2000))
    ('short', 1024)
    """
    return details if len(details) <= _LONGEST_DETAILS else f"{details[: _LONGEST_DETAILS - 4]} ..."


def _number(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise NotImplementedError(f"{type(value).__name__} in a finding")
