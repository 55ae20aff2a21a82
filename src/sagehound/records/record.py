"""What every record has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from sagehound.errors import IllegalTransition

#: A request as the client sent it: opaque to all but `api`.
Document = dict[str, Any]

Transitions = Mapping[Any, frozenset[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A named thing of one kind. Times are seconds since the epoch."""

    kind: ClassVar[str]
    transitions: ClassVar[Transitions] = {}

    name: str
    created_at: float
    modified_at: float

    @property
    def state(self) -> str:
        """The state by which lists filter; empty for a kind without states."""
        return str(getattr(self, "status", ""))

    @property
    def group(self) -> str:
        """The name of the record that this one belongs to; empty where there is none."""
        return str(getattr(self, "parent", ""))

    def evolve(self, **changes: Any) -> Self:  # noqa: ANN401
        """A copy with `changes`; IllegalTransition where the kind's table does not have the new status."""
        before, after = getattr(self, "status", None), changes.get("status")
        if after is not None and after != before and after not in self.transitions.get(before, frozenset()):
            raise IllegalTransition(f"{self.kind} {self.name} is {before}; it cannot become {after}")
        return replace(self, **changes)
