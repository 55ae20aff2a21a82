"""Reading events in pages, where a page is made of more than one piece of the file."""

import pytest

from sagehound.api import log_events
from sagehound.api.log_events import Position, backwards, forwards, matches
from sagehound.api.log_streams import Stream


def anything(line):
    return True


@pytest.fixture
def stream(tmp_path, monkeypatch):
    monkeypatch.setattr(log_events, "PAGE", 7)
    (tmp_path / "algo-1.log").write_text("".join(f"{n} é{n}\n" for n in range(20)))
    return Stream("job/algo-1-0", tmp_path, "algo-1", 0.0)


def test_forwards_goes_on_where_it_ended(stream):
    first = forwards(stream, Position(), 12, anything)
    second = forwards(stream, first.end, 12, anything)
    assert [line.at_ms for line in first.lines + second.lines] == list(range(20))
    assert second.end == Position((stream.folder / "algo-1.log").stat().st_size, 20)


def test_forwards_looks_on_for_what_is_wanted(stream):
    found = forwards(stream, Position(), 3, lambda line: line.at_ms == 17)
    assert [line.at_ms for line in found.lines] == [17]


def test_backwards_to_the_start(stream):
    seen, before = [], None
    while True:
        window = backwards(stream, before, 6, anything)
        if not window.lines:
            break
        seen = [line.at_ms for line in window.lines] + seen
        after = forwards(stream, window.end, 20, anything).lines
        assert [line.at_ms for line in after] == list(range(window.end.index, 20))
        before = window.start
    assert seen == list(range(20))


@pytest.mark.parametrize("limit", [1, 3, 7, 8, 20, 21])
def test_matches_page_by_page(stream, limit):
    seen, place = [], ""
    while True:
        hits, place = matches([stream], place, limit, lambda line: line.at_ms % 2 == 0)
        seen += [hit.line.at_ms for hit in hits]
        if not place:
            break
        assert len(hits) == limit
    assert seen == list(range(0, 20, 2))
