"""Tags of a resource."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from sagehound.records.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSet(Record):
    """The tags of one resource; `name` is its ARN."""

    kind: ClassVar[str] = "tags"

    tags: dict[str, str] = field(default_factory=dict)
