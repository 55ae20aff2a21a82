"""The contract of a store of records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, Literal, Protocol, TypeVar

from sagehound.records.record import Record

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which records of a kind, in which order. Empty fields do not filter; times are seconds since the epoch.

    `cursor` is the `next` of the page before.
    """

    states: tuple[str, ...] = ()
    group: str | None = None
    name_contains: str = ""
    created_after: float | None = None
    created_before: float | None = None
    modified_after: float | None = None
    modified_before: float | None = None
    sort: Literal["name", "created_at", "modified_at", "state"] = "created_at"
    descending: bool = False
    limit: int = 100
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Records in the query's order; `next` is the cursor of the page after, empty on the last."""

    records: list[R]
    next: str = ""


class Store(Protocol):
    """Records by kind and name. Safe to call from any thread.

    - `insert` adds a record, or raises AlreadyExists. When it returns, the record outlives a power cut.
    - `get` returns the record, or raises NotFound.
    - `update` replaces a record by `change(record)` as one step: no other update of it comes between. Whatever
      `change` raises leaves the record as it was. A change that returns its argument writes nothing.
    - `delete` removes a record, or raises NotFound.
    - `get` and `update` of a record that cannot be read (another version wrote it) are InvalidInput; `list` leaves it
      out and logs it.
    - `list` returns one page. A cursor stays valid while records come and go; a malformed one is InvalidInput.
    - `watch` has `callback(record)` called after every committed insert and update, in the thread that made it.
    """

    def insert(self, record: Record) -> None: ...
    def get(self, kind: type[R], name: str) -> R: ...
    def update(self, kind: type[R], name: str, change: Callable[[R], R]) -> R: ...
    def delete(self, kind: type[Record], name: str) -> None: ...
    def list(self, kind: type[R], query: Query) -> Page[R]: ...
    def watch(self, callback: Callable[[Record], None]) -> None: ...


def every(store: Store, kind: type[R], query: Query | None = None) -> list[R]:
    """All records that match, page after page."""
    query = query or Query(limit=1000)
    page = store.list(kind, query)
    records = list(page.records)
    while page.next:
        page = store.list(kind, replace(query, cursor=page.next))
        records.extend(page.records)
    return records
