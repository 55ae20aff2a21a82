"""Tables that a program reads are not cut."""

from datetime import UTC, datetime

import pytest

from sagehound.cli.console import duration, say_json, say_table


def test_a_long_name_stays_whole_where_stdout_is_no_terminal(capsys):
    name = "n" * 150
    say_table(("NAME", "STATUS"), [(name, "[bold]Completed[/bold]")])
    assert f"{name}  [bold]Completed[/bold]" in capsys.readouterr().out


def test_times_are_iso_8601(capsys):
    say_json({"at": datetime(2026, 1, 2, tzinfo=UTC)})
    assert '"at": "2026-01-02T00:00:00+00:00"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0.0 s"), (59.94, "59.9 s"), (59.96, "1 min 0 s"), (3600, "1 h 0 min")]
)
def test_durations(seconds, words):
    assert duration(seconds) == words
