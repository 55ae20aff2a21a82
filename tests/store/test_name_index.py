"""Parts of names in SQLite's three-letter pieces."""

import sqlite3

import pytest

from sagehound.store import name_index
from sagehound.store.name_index import FEW, NameIndex
from sagehound.store.sqlite import SqliteStore
from sagehound.store.store import Query
from sagehound.testing.store_suite import Lamp, lamp


@pytest.fixture
def db():
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("CREATE TABLE record (id INTEGER PRIMARY KEY, name TEXT)")
    db.executemany("INSERT INTO record VALUES (?, ?)", [(1, "a-dog"), (2, "cat")])
    yield db
    db.close()


def test_it_is_made_of_the_records_that_are_there(db):
    assert NameIndex(db).few("DOG") == [1]
    assert NameIndex(db).few("cat") == [2]


def test_records_come_and_go(db):
    index = NameIndex(db)
    index.add(3, "dogs")
    assert index.few("dog") == [1, 3]
    index.remove(1)
    assert index.few("dog") == [3]
    assert index.few("none") == []


def test_many_and_short_parts_are_left_to_a_search(db):
    index = NameIndex(db)
    for number in range(FEW + 1):
        index.add(10 + number, f"many-{number}")
    assert index.few("many") is None
    assert index.few("do") is None


def test_without_trigrams_every_record_is_gone_through(tmp_path, monkeypatch):
    monkeypatch.setattr(name_index, "_CREATE", "CREATE VIRTUAL TABLE record_name USING fts5(name, tokenize='none')")
    store = SqliteStore(tmp_path / "state.db")
    for name in ("a-dog", "cat"):
        store.insert(lamp(name))
    assert [record.name for record in store.list(Lamp, Query(name_contains="dog")).records] == ["a-dog"]
    store.delete(Lamp, "a-dog")
    store.close()
    monkeypatch.undo()
    again = SqliteStore(tmp_path / "state.db")
    assert [record.name for record in again.list(Lamp, Query(name_contains="cat")).records] == ["cat"]
    again.close()
