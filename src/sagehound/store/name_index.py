"""Parts of names: which records have a few letters in their name, without a look at every one of them."""

from __future__ import annotations

import sqlite3

#: So many records are fewer than an ordered search would pass by before its page is full.
FEW = 200
_SHORTEST = 3
_CREATE = "CREATE VIRTUAL TABLE record_name USING fts5(name, tokenize='trigram')"


class NameIndex:
    """The three-letter pieces of every record's name, in the tables of the store's own file.

    `few` gives the records whose name has `part` in it, whatever its case: their numbers, and maybe some more that
    have something like it; None where they are many, or `part` is too short, or this SQLite has no such index: then
    the records have to be gone through.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._there = self._made()

    def add(self, number: int, name: str) -> None:
        if self._there:
            self._db.execute("INSERT INTO record_name (rowid, name) VALUES (?, ?)", (number, name))

    def remove(self, number: int) -> None:
        if self._there:
            self._db.execute("DELETE FROM record_name WHERE rowid=?", (number,))

    def few(self, part: str) -> list[int] | None:
        if not self._there or len(part) < _SHORTEST:
            return None
        phrase = '"' + part.replace('"', '""') + '"'
        sql = "SELECT rowid FROM record_name WHERE record_name MATCH ? LIMIT ?"
        found = [number for (number,) in self._db.execute(sql, (phrase, FEW + 1))]
        return found if len(found) <= FEW else None

    def _made(self) -> bool:
        """Whether the index is there by now; made of the records that are, where it was not."""
        if self._db.execute("SELECT 1 FROM sqlite_master WHERE name='record_name'").fetchone():
            return True
        try:
            self._db.execute(_CREATE)
        except sqlite3.OperationalError:  # an SQLite built without FTS5, or older than its trigrams
            return False
        self._db.execute("INSERT INTO record_name (rowid, name) SELECT id, name FROM record")
        return True
