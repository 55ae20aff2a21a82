"""Records in one SQLite file (write-ahead log, synced at every commit)."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sagehound.errors import AlreadyExists, InvalidInput, NotFound, ServiceUnavailable
from sagehound.records.record import Record
from sagehound.store.name_index import NameIndex
from sagehound.store.store import Page, Query, R

_LOG = logging.getLogger(__name__)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, grp TEXT NOT NULL,
    created_at REAL NOT NULL, modified_at REAL NOT NULL, body BLOB NOT NULL,
    UNIQUE (kind, name)
);
-- Each index holds all that a query may ask of a record, so that bodies are read for the page alone.
CREATE INDEX IF NOT EXISTS in_name ON record (kind, name, state, created_at, modified_at, grp);
CREATE INDEX IF NOT EXISTS in_created ON record (kind, created_at, name, state, modified_at, grp);
CREATE INDEX IF NOT EXISTS in_modified ON record (kind, modified_at, name, state, created_at, grp);
CREATE INDEX IF NOT EXISTS in_state_name ON record (kind, state, name, created_at, modified_at, grp);
CREATE INDEX IF NOT EXISTS in_state_created ON record (kind, state, created_at, name, modified_at, grp);
CREATE INDEX IF NOT EXISTS in_group_name ON record (kind, grp, name, state, created_at, modified_at);
CREATE INDEX IF NOT EXISTS in_group_created ON record (kind, grp, created_at, name, state, modified_at);
"""
#: How much of the file is read without copies.
_MAPPED_BYTES = 1 << 28
_COLUMNS = {"name": "name", "created_at": "created_at", "modified_at": "modified_at", "state": "state"}


class SqliteStore:
    """A `Store` in the file `path`, made where it does not exist."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = threading.RLock()
        self._watchers: list[Callable[[Record], None]] = []
        self._unreadable: set[tuple[str, str]] = set()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        try:
            self._db.execute("PRAGMA busy_timeout=5000")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute(f"PRAGMA mmap_size={_MAPPED_BYTES}")
            self._db.executescript(_SCHEMA)
            self._names = NameIndex(self._db)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise InvalidInput(
                f"{path} cannot be used ({error}): where it is damaged, put a copy back, or move it away to begin with "
                "no records (buckets stay); where the disk is full or read-only, make room"
            ) from error

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def insert(self, record: Record) -> None:
        with self._lock, self._transaction():
            try:
                added = self._db.execute(
                    "INSERT INTO record (kind, name, state, grp, created_at, modified_at, body) VALUES (?,?,?,?,?,?,?)",
                    _row(record),
                )
            except sqlite3.IntegrityError:
                raise AlreadyExists(f"{record.kind} {record.name} exists already") from None
            self._names.add(added.lastrowid or 0, record.name)
        self._tell(record)

    def get(self, kind: type[R], name: str) -> R:
        with self._lock:
            row = self._db.execute("SELECT body FROM record WHERE kind=? AND name=?", (kind.kind, name)).fetchone()
        if row is None:
            raise NotFound(f"there is no {kind.kind} {name}")
        return _decoded(kind, name, row[0])

    def update(self, kind: type[R], name: str, change: Callable[[R], R]) -> R:
        with self._lock, self._transaction():
            before = self.get(kind, name)
            after = change(before)
            if after is before:
                return before
            self._db.execute(
                "UPDATE record SET state=?, grp=?, created_at=?, modified_at=?, body=? WHERE kind=? AND name=?",
                (*_row(after)[2:], kind.kind, name),
            )
        self._tell(after)
        return after

    def delete(self, kind: type[Record], name: str) -> None:
        with self._lock, self._transaction():
            gone = self._db.execute("DELETE FROM record WHERE kind=? AND name=? RETURNING id", (kind.kind, name))
            numbers = gone.fetchall()
            if not numbers:
                raise NotFound(f"there is no {kind.kind} {name}")
            self._names.remove(numbers[0][0])

    def list(self, kind: type[R], query: Query) -> Page[R]:
        with self._lock:
            sql, arguments = _select(kind.kind, query, self._names.few(query.name_contains))
            rows = self._db.execute(sql, arguments).fetchall()
        rows.sort(key=lambda row: row[1:], reverse=query.descending)
        records = [record for row in rows[: query.limit] if (record := self._listed(kind, row[2], row[0])) is not None]
        if len(rows) <= query.limit:
            return Page(records)
        return Page(records, json.dumps(rows[query.limit - 1][1:]))

    def _listed(self, kind: type[R], name: str, body: bytes) -> R | None:
        """The record; None for one that cannot be read, which is said once: the others must not go with it."""
        try:
            return _decoded(kind, name, body)
        except InvalidInput as error:
            if (kind.kind, name) not in self._unreadable:
                self._unreadable.add((kind.kind, name))
                _LOG.warning("%s", error.message)
            return None

    def watch(self, callback: Callable[[Record], None]) -> None:
        self._watchers.append(callback)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Other processes keep out too; whatever is raised inside undoes what was done."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            self._undo()
            raise ServiceUnavailable(f"{self._path} cannot be written ({error}); free disk space and retry") from error
        except BaseException:
            self._undo()
            raise

    def _undo(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _tell(self, record: Record) -> None:
        for callback in self._watchers:
            callback(record)


def _decoded(kind: type[R], name: str, body: bytes) -> R:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{kind.kind} {name} was written by another version of Sagehound, or is damaged, and cannot be read "
            f"({error}); look at it with that version, or make it again under another name"
        ) from None


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


def _select(kind: str, query: Query, among: list[int] | None = None) -> tuple[str, list[object]]:
    """The statement for one page and one record more; `among` are the only records to look at, where they are known."""
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
        arguments.extend(_cursor(query))
    order = f"name {direction}" if column == "name" else f"{column} {direction}, name {direction}"
    source = f"record INDEXED BY {_index(query)}"
    if among is not None:
        source = "record NOT INDEXED"
        where.append(f"id IN ({','.join(map(str, among))})")
    found = (
        f"SELECT id AS found, name AS n, {column} AS c FROM {source} WHERE {' AND '.join(where)} "
        f"ORDER BY {order} LIMIT {query.limit + 1}"
    )
    return f"SELECT body, c, n FROM ({found}) CROSS JOIN record ON id=found", arguments


def _index(query: Query) -> str:
    """The index that has the wanted records next to each other in the wanted order, or as near to it as there is."""
    if query.group is not None:
        return "in_group_name" if query.sort == "name" else "in_group_created"
    if len(query.states) == 1 and query.sort != "modified_at":
        return "in_state_created" if query.sort == "created_at" else "in_state_name"
    return {"name": "in_name", "modified_at": "in_modified", "state": "in_state_name"}.get(query.sort, "in_created")


def _conditions(query: Query) -> list[tuple[str, object]]:
    chosen = [
        ("grp=?", query.group),
        ("instr(lower(name), ?)", query.name_contains.lower() or None),
        ("created_at>?", query.created_after),
        ("created_at<?", query.created_before),
        ("modified_at>?", query.modified_after),
        ("modified_at<?", query.modified_before),
    ]
    return [(condition, value) for condition, value in chosen if value is not None]


def _cursor(query: Query) -> list[object]:
    """What the last record of the page before had: the column of the order, and its name."""
    kind = (int, float) if query.sort in ("created_at", "modified_at") else str
    try:
        value, name = json.loads(query.cursor)
    except (ValueError, TypeError):
        value, name = None, None
    if not isinstance(value, kind) or not isinstance(name, str):
        raise InvalidInput(
            f"{query.cursor!r} is not a page's token in this order; pass the one that the last page gave"
        )
    return [value, name]
