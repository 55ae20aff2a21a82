import pytest

from sagehound.errors import NotFound
from sagehound.jobs.logs import LogLine, hosts, offset_at, read_lines


def test_hosts_are_in_the_order_of_their_numbers(tmp_path):
    for name in ("algo-10", "algo-2", "algo-1"):
        (tmp_path / f"{name}.log").touch()
    assert hosts(tmp_path) == ["algo-1", "algo-2", "algo-10"]
    assert hosts(tmp_path / "none") == []


def test_reading_goes_on_where_it_ended(tmp_path):
    log = tmp_path / "algo-1.log"
    log.write_bytes(b"1 one\n2 two\n3 th")
    lines, offset = read_lines(tmp_path, "algo-1", limit=1)
    assert lines == [LogLine(1, "one")]
    lines, offset = read_lines(tmp_path, "algo-1", offset)
    assert lines == [LogLine(2, "two")]
    assert read_lines(tmp_path, "algo-1", offset) == ([], offset)
    with log.open("ab") as file:
        file.write(b"ree\n")
    assert read_lines(tmp_path, "algo-1", offset)[0] == [LogLine(3, "three")]


def test_an_unknown_host_is_not_found(tmp_path):
    for name in ("algo-1", "../secret", "", "a/b"):
        with pytest.raises(NotFound):
            read_lines(tmp_path, name)


def test_the_offset_of_a_moment_is_found(tmp_path):
    times = [5, 5, 5, 7, 900, 900, 1000]
    lines = [f"{at} {'x' * (at % 13 * 9)}\n" for at in times]
    (tmp_path / "algo-1.log").write_text("".join(lines))
    for at in (0, 5, 6, 7, 8, 900, 901, 1000, 1001):
        before = sum(time < at for time in times)
        assert offset_at(tmp_path, "algo-1", at) == sum(map(len, lines[:before])), at
    assert offset_at(tmp_path, "algo-2", 5) == 0
