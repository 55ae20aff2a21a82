"""The SQLite store against the contract, and what is its own: durability and speed with many records."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sagehound.errors import InvalidInput, NotFound, ServiceUnavailable
from sagehound.store.sqlite import SqliteStore, _select
from sagehound.store.store import Query, every
from sagehound.testing.store_suite import Lamp, StoreSuite, lamp

#: Inserts lamps, saying so after each, until it is killed.
WRITER = """
import itertools, pathlib, sys
from sagehound.store.sqlite import SqliteStore
from sagehound.testing.store_suite import lamp
store = SqliteStore(pathlib.Path(sys.argv[1]))
for number in itertools.count():
    store.insert(lamp(f"{number}", number))
    print(number, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "state.db"


@pytest.fixture
def store(path: Path):
    store = SqliteStore(path)
    yield store
    store.close()


class TestSqliteStore(StoreSuite):
    pass


def test_records_outlive_the_store(path):
    store = SqliteStore(path)
    store.insert(lamp("a", 1))
    store.close()
    again = SqliteStore(path)
    assert again.get(Lamp, "a") == lamp("a", 1)
    again.close()


def test_every_acknowledged_insert_outlives_kill_9(path):
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        seen = [int(writer.stdout.readline()) for _ in range(50)]
        writer.kill()
        seen += [int(line) for line in writer.stdout.read().splitlines()]
    store = SqliteStore(path)
    for number in seen:
        assert store.get(Lamp, str(number)).created_at == number
    store.close()


def test_commits_are_synced(store):
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_second_process_keeps_out_of_an_update(path, store):
    store.insert(lamp("a"))
    other = sqlite3.connect(path, timeout=0, isolation_level=None)

    def change(record):
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("DELETE FROM record")
        return record.evolve(modified_at=7.0)

    assert store.update(Lamp, "a", change).modified_at == 7
    other.close()


def test_a_full_disk_is_said_and_leaves_the_records(store):
    store.insert(lamp("a"))
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count={pages}")
    big = Lamp(name="big", created_at=0, modified_at=0, document={"text": "x" * 200_000})
    with pytest.raises(ServiceUnavailable, match=r"full.*free disk space"):
        store.insert(big)
    with pytest.raises(NotFound):
        store.get(Lamp, "big")
    store._db.execute("PRAGMA max_page_count=1000000")
    store.insert(big)
    assert store.get(Lamp, "big") == big


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(descending=True),
        Query(sort="name"),
        Query(sort="modified_at"),
        Query(sort="state"),
        Query(states=("On",)),
        Query(states=("On",), sort="name"),
        Query(group="a"),
        Query(group="a", sort="name"),
        Query(name_contains="dog"),
        Query(created_after=1.0, cursor=json.dumps([1.0, "a"])),
    ],
)
def test_no_query_sorts_or_reads_bodies_off_the_page(store, query):
    sql, arguments = _select("lamp", query)
    plan = [row[3] for row in store._db.execute(f"EXPLAIN QUERY PLAN {sql}", arguments)]
    assert not any("TEMP B-TREE" in step for step in plan), plan
    assert any("USING COVERING INDEX" in step for step in plan), plan


def test_the_folder_is_made(path, store):
    assert path.exists()
    assert os.access(path.parent, os.W_OK)


def test_a_damaged_file_is_said_and_left(tmp_path):
    path = tmp_path / "state.db"
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(InvalidInput, match=r"state\.db cannot be used \(file is not a database\)"):
        SqliteStore(path)
    assert path.read_bytes() == b"garbage" * 1000


@pytest.mark.parametrize("body", [b'{"name": "b", "created_at": 2}', b"not JSON", b'{"name": "\xff"}'])
def test_a_record_that_cannot_be_read_keeps_none_of_the_others(path, store, caplog, body):
    for number, name in enumerate("abc"):
        store.insert(lamp(name, number))
    store._db.execute("UPDATE record SET body=? WHERE name='b'", (body,))
    assert [record.name for record in every(store, Lamp)] == ["a", "c"]
    assert [record.name for record in every(store, Lamp, Query(limit=1))] == ["a", "c"]
    assert len([message for message in caplog.messages if "lamp b was written by another version" in message]) == 1
    for act in (lambda: store.get(Lamp, "b"), lambda: store.update(Lamp, "b", lambda record: record)):
        with pytest.raises(InvalidInput, match="lamp b was written by another version of Sagehound, or is damaged"):
            act()
    store.delete(Lamp, "b")
    store.insert(lamp("b"))
    assert store.get(Lamp, "b") == lamp("b")
