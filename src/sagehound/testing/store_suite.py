"""The contract of a Store, as tests. Subclass `StoreSuite` with a `store` fixture."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import pytest

from sagehound.errors import AlreadyExists, IllegalTransition, InvalidInput, NotFound
from sagehound.records.record import Document, Record, Transitions
from sagehound.store.store import Query, Store, every


class LampStatus(StrEnum):
    """A broken lamp stays broken."""

    OFF = "Off"
    ON = "On"
    BROKEN = "Broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp(Record):
    """A record to try a store with."""

    kind: ClassVar[str] = "lamp"
    transitions: ClassVar[Transitions] = {
        LampStatus.OFF: frozenset({LampStatus.ON, LampStatus.BROKEN}),
        LampStatus.ON: frozenset({LampStatus.OFF, LampStatus.BROKEN}),
    }

    parent: str = ""
    status: LampStatus = LampStatus.OFF
    document: Document | None = None
    watts: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Room(Record):
    """Another kind, whose names do not clash with the lamps'."""

    kind: ClassVar[str] = "room"


def lamp(name: str, at: float = 0.0, status: LampStatus = LampStatus.OFF, parent: str = "") -> Lamp:
    """A lamp made at `at` and changed 100 s later."""
    return Lamp(name=name, created_at=at, modified_at=at + 100, status=status, parent=parent)


def names(store: Store, query: Query) -> list[str]:
    return [record.name for record in store.list(Lamp, query).records]


class StoreSuite:
    """Every Store passes these."""

    def test_get_gives_back_what_was_inserted(self, store: Store) -> None:
        made = Lamp(
            name="a", created_at=1.5, modified_at=2.5, status=LampStatus.ON, document={"a": [1, "é"]}, watts=(0.1, 2.0)
        )
        store.insert(made)
        assert store.get(Lamp, "a") == made

    def test_a_name_is_taken_once_in_its_kind(self, store: Store) -> None:
        store.insert(lamp("a", 1))
        with pytest.raises(AlreadyExists, match="lamp a"):
            store.insert(lamp("a", 2))
        store.insert(Room(name="a", created_at=0, modified_at=0))
        assert store.get(Lamp, "a").created_at == 1

    def test_what_is_missing_is_not_found(self, store: Store) -> None:
        for act in (
            lambda: store.get(Lamp, "a"),
            lambda: store.delete(Lamp, "a"),
            lambda: store.update(Lamp, "a", lambda record: record),
        ):
            with pytest.raises(NotFound, match="lamp a"):
                act()

    def test_update_replaces_and_returns(self, store: Store) -> None:
        store.insert(lamp("a", 1))
        after = store.update(Lamp, "a", lambda record: record.evolve(status=LampStatus.ON, modified_at=5.0))
        assert (after.status, store.get(Lamp, "a")) == (LampStatus.ON, after)
        assert names(store, Query(states=("On",))) == ["a"]
        assert names(store, Query(states=("Off",))) == []

    def test_a_change_that_raises_leaves_the_record(self, store: Store) -> None:
        store.insert(lamp("a", status=LampStatus.BROKEN))
        with pytest.raises(IllegalTransition, match="lamp a is Broken; it cannot become On"):
            store.update(Lamp, "a", lambda record: record.evolve(status=LampStatus.ON))
        assert store.get(Lamp, "a").status is LampStatus.BROKEN
        store.insert(lamp("b"))

    def test_updates_do_not_come_between_each_other(self, store: Store) -> None:
        store.insert(Lamp(name="a", created_at=0, modified_at=0))

        def count() -> None:
            for _ in range(50):
                store.update(Lamp, "a", lambda record: record.evolve(modified_at=record.modified_at + 1))

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.get(Lamp, "a").modified_at == 200

    def test_delete(self, store: Store) -> None:
        store.insert(lamp("a"))
        store.delete(Lamp, "a")
        assert names(store, Query()) == []
        store.insert(lamp("a"))

    def test_watchers_hear_of_inserts_and_of_changes_alone(self, store: Store) -> None:
        heard: list[Record] = []
        store.watch(heard.append)
        made = lamp("a")
        store.insert(made)
        with pytest.raises(AlreadyExists):
            store.insert(made)
        store.update(Lamp, "a", lambda record: record)
        after = store.update(Lamp, "a", lambda record: record.evolve(status=LampStatus.ON))
        assert heard == [made, after]

    def test_a_watcher_may_use_the_store(self, store: Store) -> None:
        seen: list[Lamp] = []
        store.watch(lambda record: seen.append(store.get(Lamp, record.name)))
        store.insert(lamp("a"))
        assert [record.name for record in seen] == ["a"]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (Query(), "cab"),
            (Query(descending=True), "bac"),
            (Query(sort="name"), "abc"),
            (Query(sort="name", descending=True), "cba"),
            (Query(sort="modified_at"), "cab"),
            (Query(sort="state"), "bac"),
            (Query(states=("On",)), "ca"),
            (Query(states=("On",), sort="name"), "ac"),
            (Query(states=("On", "Broken"), sort="name", descending=True), "cba"),
            (Query(group="hall"), "ab"),
            (Query(group="hall", sort="name", descending=True), "ba"),
            (Query(group="hall", states=("On",)), "a"),
            (Query(group=""), "c"),
            (Query(created_after=1, created_before=3), "a"),
            (Query(modified_after=101, modified_before=103), "a"),
            (Query(limit=2), "ca"),
        ],
    )
    def test_list(self, store: Store, query: Query, expected: str) -> None:
        store.insert(lamp("c", 1, LampStatus.ON))
        store.insert(lamp("a", 2, LampStatus.ON, parent="hall"))
        store.insert(lamp("b", 3, LampStatus.BROKEN, parent="hall"))
        store.insert(Room(name="a", created_at=2, modified_at=2))
        assert "".join(names(store, query)) == expected

    @pytest.mark.parametrize("part", ["dog", "DOG", "g-1", "%", "_", "d", "o", '"', "*", "dog-1", "cat"])
    def test_a_part_of_the_name_whatever_its_case(self, store: Store, part: str) -> None:
        given = ["dog-1", "a-DOG", "do_g", "100%", "cat", 'q"*q']
        for number, name in enumerate(given):
            store.insert(lamp(name, number))
        expected = [name for name in given if part.lower() in name.lower()]
        assert names(store, Query(name_contains=part)) == expected
        assert names(store, Query(name_contains=part, descending=True)) == expected[::-1]

    @pytest.mark.parametrize("part", ["lamp", "x"])
    def test_a_part_that_many_names_have(self, store: Store, part: str) -> None:
        for number in range(300):
            store.insert(lamp(f"lamp-{number:03d}{'x' * (number >= 298)}", number))
        found = every(store, Lamp, Query(name_contains=part, limit=70))
        assert len(found) == {"lamp": 300, "x": 2}[part]
        store.delete(Lamp, "lamp-299x")
        assert len(every(store, Lamp, Query(name_contains=part, limit=70))) == len(found) - 1

    @pytest.mark.parametrize("sort", ["name", "created_at", "modified_at", "state"])
    @pytest.mark.parametrize("descending", [False, True])
    def test_pages_are_the_whole_even_where_values_are_alike(self, store: Store, sort: str, descending: bool) -> None:
        for number in range(11):
            store.insert(lamp(f"{number:02d}", number // 3, LampStatus.ON if number % 2 else LampStatus.OFF))
        query = Query(sort=sort, descending=descending, limit=3)  # type: ignore[arg-type]
        paged = [record.name for record in every(store, Lamp, query)]
        assert paged == [
            record.name for record in store.list(Lamp, Query(sort=query.sort, descending=descending)).records
        ]
        assert len(set(paged)) == 11

    def test_a_cursor_outlives_its_record(self, store: Store) -> None:
        for number in range(4):
            store.insert(lamp(str(number), number))
        page = store.list(Lamp, Query(limit=2))
        store.delete(Lamp, "1")
        store.insert(lamp("0a", 0.5))
        assert names(store, Query(cursor=page.next)) == ["2", "3"]

    def test_the_last_page_has_no_cursor(self, store: Store) -> None:
        store.insert(lamp("a"))
        assert store.list(Lamp, Query(limit=1)).next == ""
        assert store.list(Room, Query()).records == []

    @pytest.mark.parametrize("cursor", ["x", "[]", "1", '["a"]', "[[1], 2]", '[1, "a", 2]', "null", "[null, null]"])
    def test_a_made_up_cursor_is_refused(self, store: Store, cursor: str) -> None:
        with pytest.raises(InvalidInput, match="not a page's token"):
            store.list(Lamp, Query(cursor=cursor))
