"""What a rule says of a job, and the file that it says it in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec
import numpy as np

#: As long as DescribeTrainingJob lets StatusDetails be.
_LONGEST_DETAILS = 1024


class Status(StrEnum):
    """As in DescribeTrainingJob. IssuesFound stays, whatever comes later; NoIssuesFound is said at the end alone."""

    IN_PROGRESS = "InProgress"
    NO_ISSUES_FOUND = "NoIssuesFound"
    ISSUES_FOUND = "IssuesFound"
    ERROR = "Error"


class RuleStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`updated_at` is seconds since the epoch; `findings` are structs or dataclasses of the part whose rule it is."""

    status: Status = Status.IN_PROGRESS
    details: str = ""
    updated_at: float = 0.0
    findings: tuple[object, ...] = ()


def write(folder: Path, name: str, status: RuleStatus) -> None:
    """Write `<name>.json`, so that a reader sees the old file or the new one, never a part."""
    path = folder / f"{name.replace('/', '_')}.json"
    part = path.with_suffix(".json.part")
    whole = msgspec.structs.replace(status, details=shortened(status.details))
    part.write_bytes(msgspec.json.encode(whole, enc_hook=_number))
    part.replace(path)


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
