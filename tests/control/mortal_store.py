"""A store whose process dies at one of its writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sagehound.records.record import Record
from sagehound.store.sqlite import SqliteStore


class Killed(BaseException):
    """The process dies here."""


class MortalStore(SqliteStore):
    """Dies at its `lives`-th write: before it where `before`, else right after it."""

    lives, before = 10**9, False

    def insert(self, record: Record) -> None:
        self._write(lambda: super(MortalStore, self).insert(record))

    def update(self, kind: Any, name: str, change: Any) -> Any:
        return self._write(lambda: super(MortalStore, self).update(kind, name, change))

    def _write(self, write: Callable[[], Any]) -> Any:
        self.lives -= 1
        if self.lives == 0 and self.before:
            raise Killed
        written = write()
        if self.lives == 0:
            raise Killed
        return written
