"""Notes in a header."""

from sagehound.records.notes import HEADER, of_response, to_header


def test_any_text_comes_back():
    notes = ("no line: 'a\\r\\nb'\r\nx-evil: 1", "é \N{GRINNING FACE} \x00 \ud800")
    header = to_header(notes)
    assert header.isascii() and header.isprintable()
    assert of_response({"ResponseMetadata": {"HTTPHeaders": {HEADER: header}}}) == notes


def test_as_many_are_sent_as_a_client_reads():
    header = to_header(["é" * 1000] * 10)
    assert len(header) < 65536
    assert of_response({"ResponseMetadata": {"HTTPHeaders": {HEADER: header}}}) == ("é" * 1000,) * 4


def test_another_service_gives_none():
    assert of_response({}) == of_response({"ResponseMetadata": {"HTTPHeaders": {"date": "now"}}}) == ()
