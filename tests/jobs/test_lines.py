from sagehound.jobs.lines import MAX_LINE_BYTES, LineWriter
from sagehound.jobs.logs import read_lines


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def _texts(folder):
    return [line.text for line in read_lines(folder, "algo-1")[0]]


def _writer(folder, clock=None):
    return LineWriter(folder / "algo-1.log", clock or Clock())


def test_lines_are_written_as_they_end(tmp_path):
    writer = _writer(tmp_path)
    writer.feed(b"one\ntw")
    assert _texts(tmp_path) == ["one"]
    writer.feed(b"o\n\nrest")
    writer.close()
    assert _texts(tmp_path) == ["one", "two", "", "rest"]


def test_each_line_has_its_time(tmp_path):
    clock = Clock()
    writer = _writer(tmp_path, clock)
    writer.feed(b"one\n")
    clock.now = 1002.5
    writer.feed(b"two\n")
    assert [line.at_ms for line in read_lines(tmp_path, "algo-1")[0]] == [1_000_000, 1_002_500]


def test_a_progress_bar_is_shown_now_and_then_and_at_its_end(tmp_path):
    clock = Clock()
    writer = _writer(tmp_path, clock)
    for percent in range(100):
        clock.now += 0.1
        writer.feed(b"\r%d%%" % percent)
    writer.feed(b"\r100%\n")
    lines = _texts(tmp_path)
    assert lines[-1] == "100%"
    assert 3 <= len(lines) <= 8


def test_windows_line_ends_are_line_ends(tmp_path):
    writer = _writer(tmp_path)
    writer.feed(b"one\r\ntwo\r")
    writer.feed(b"\nthree\r\n")
    assert _texts(tmp_path) == ["one", "two", "three"]


def test_a_progress_bar_that_never_ends_is_written_when_the_log_is_closed(tmp_path):
    clock = Clock()
    writer = _writer(tmp_path, clock)
    writer.feed(b"10%\r")
    writer.feed(b"20%\r")
    writer.close()
    assert _texts(tmp_path)[-1] == "20%"


def test_a_very_long_line_comes_in_pieces_cut_between_characters(tmp_path):
    line = "é" * MAX_LINE_BYTES
    for chunks in ([line.encode() + b"\n"], [line.encode()[:99_999], line.encode()[99_999:] + b"\n"]):
        writer = _writer(tmp_path)
        for chunk in chunks:
            writer.feed(chunk)
        writer.close()
        texts = _texts(tmp_path)
        assert "".join(texts) == line
        assert len(texts) > 1
        (tmp_path / "algo-1.log").unlink()


def test_bytes_that_are_no_text_do_no_harm(tmp_path):
    writer = _writer(tmp_path)
    writer.feed(b"\xff\xfe\x00\n")
    assert len(_texts(tmp_path)) == 1


def test_what_is_said_ends_the_unfinished_line(tmp_path):
    seen = []
    writer = LineWriter(tmp_path / "algo-1.log", Clock(), lambda at, text: seen.append((at, text)))
    writer.feed(b"half")
    writer.say("ours")
    assert _texts(tmp_path) == ["half", "ours"]
    assert seen == [(1000.0, "half"), (1000.0, "ours")]


def test_times_never_go_back(tmp_path):
    times = iter([5.0, 3.0, 6.0])
    writer = LineWriter(tmp_path / "log", clock=lambda: next(times))
    for text in "abc":
        writer.say(text)
    writer.close()
    assert (tmp_path / "log").read_text() == "5000 a\n5000 b\n6000 c\n"
