"""What a rule says of a job, and the file that it says it in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

from sagehound.debug.finding import Finding

#: As long as DescribeTrainingJob lets StatusDetails be.
_LONGEST_DETAILS = 1024


class Status(StrEnum):
    """As in DescribeTrainingJob. IssuesFound stays, whatever comes later; NoIssuesFound is said at the end alone."""

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
    part.write_bytes(msgspec.json.encode(msgspec.structs.replace(status, details=shortened(status.details))))
    part.replace(path)


def shortened(details: str) -> str:
    """Details that DescribeTrainingJob can give.

    >>> shortened("short"), len(shortened("x" * 2000))
    ('short', 1024)
    """
    return details if len(details) <= _LONGEST_DETAILS else f"{details[: _LONGEST_DETAILS - 4]} ..."
