"""Records in one SQLite file (write-ahead log, synced at every commit)."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from sagehound.errors import AlreadyExists, InvalidInput, NotFound
from sagehound.records.record import Record
from sagehound.store.store import Page, Query, R

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, grp TEXT NOT NULL,
    created_at REAL NOT NULL, modified_at REAL NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_created ON records (kind, created_at, name);
CREATE INDEX IF NOT EXISTS by_modified ON records (kind, modified_at, name);
CREATE INDEX IF NOT EXISTS by_state ON records (kind, state, name);
CREATE INDEX IF NOT EXISTS by_group ON records (kind, grp, created_at, name);
"""
_COLUMNS = {"name": "name", "created_at": "created_at", "modified_at": "modified_at", "state": "state"}


class SqliteStore:
    """A `Store` in the file `path`, made where it does not exist."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._watchers: list[Callable[[Record], None]] = []
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA busy_timeout=5000")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def insert(self, record: Record) -> None:
        with self._lock:
            try:
                self._db.execute("INSERT INTO records VALUES (?,?,?,?,?,?,?)", _row(record))
            except sqlite3.IntegrityError:
                raise AlreadyExists(f"{record.kind} {record.name} exists already") from None
        self._tell(record)

    def get(self, kind: type[R], name: str) -> R:
        with self._lock:
            row = self._db.execute("SELECT body FROM records WHERE kind=? AND name=?", (kind.kind, name)).fetchone()
        if row is None:
            raise NotFound(f"there is no {kind.kind} {name}")
        return msgspec.json.decode(row[0], type=kind)

    def update(self, kind: type[R], name: str, change: Callable[[R], R]) -> R:
        with self._lock:
            before = self.get(kind, name)
            after = change(before)
            if after is before:
                return before
            self._db.execute(
                "UPDATE records SET state=?, grp=?, created_at=?, modified_at=?, body=? WHERE kind=? AND name=?",
                (*_row(after)[2:], kind.kind, name),
            )
        self._tell(after)
        return after

    def delete(self, kind: type[Record], name: str) -> None:
        with self._lock:
            done = self._db.execute("DELETE FROM records WHERE kind=? AND name=?", (kind.kind, name))
        if done.rowcount == 0:
            raise NotFound(f"there is no {kind.kind} {name}")

    def list(self, kind: type[R], query: Query) -> Page[R]:
        sql, arguments = _select(kind.kind, query)
        with self._lock:
            rows = self._db.execute(sql, arguments).fetchall()
        records = [msgspec.json.decode(row[0], type=kind) for row in rows[: query.limit]]
        if len(rows) <= query.limit or not records:
            return Page(records)
        last = records[-1]
        return Page(records, json.dumps([getattr(last, query.sort), last.name]))

    def watch(self, callback: Callable[[Record], None]) -> None:
        self._watchers.append(callback)

    def _tell(self, record: Record) -> None:
        for callback in self._watchers:
            callback(record)


def _row(record: Record) -> tuple[str, str, str, str, float, float, bytes]:
    return (
        record.kind,
        record.name,
        record.state,
        record.group,
        record.created_at,
        record.modified_at,
        msgspec.json.encode(record),
    )


def _select(kind: str, query: Query) -> tuple[str, list[object]]:
    where, arguments = ["kind=?"], [kind]  # type: tuple[list[str], list[object]]
    for condition, value in _conditions(query):
        where.append(condition)
        arguments.append(value)
    if query.states:
        where.append(f"state IN ({','.join('?' * len(query.states))})")
        arguments.extend(query.states)
    column, direction = _COLUMNS[query.sort], "DESC" if query.descending else "ASC"
    if query.cursor:
        where.append(f"({column}, name) {'<' if query.descending else '>'} (?, ?)")
        arguments.extend(_cursor(query.cursor))
    order = f"ORDER BY {column} {direction}, name {direction} LIMIT {query.limit + 1}"
    return f"SELECT body FROM records WHERE {' AND '.join(where)} {order}", arguments


def _conditions(query: Query) -> list[tuple[str, object]]:
    chosen = [
        ("grp=?", query.group),
        ("instr(lower(name), lower(?))", query.name_contains or None),
        ("created_at>?", query.created_after),
        ("created_at<?", query.created_before),
        ("modified_at>?", query.modified_after),
        ("modified_at<?", query.modified_before),
    ]
    return [(condition, value) for condition, value in chosen if value is not None]


def _cursor(text: str) -> list[object]:
    try:
        value, name = json.loads(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not a page's token; pass the one that the last page gave") from None
    return [value, name]
