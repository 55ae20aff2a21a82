"""Requests off ASGI and answers onto it."""

import asyncio

import pytest

from sagehound.api.body import Disconnected, TooLarge, read_body, read_head, write
from sagehound.wire.incoming import Outgoing


def reading(messages, limit_bytes=10):
    left = iter(messages)

    async def receive():
        return next(left)

    return asyncio.run(read_body(receive, limit_bytes))


def part(body, more=True):
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_is_put_together():
    assert reading([part(b"abc"), part(b""), part(b"de", more=False)]) == b"abcde"
    assert reading([part(b"0123456789", more=False)]) == b"0123456789"
    assert reading([{"type": "http.request"}]) == b""


def test_a_body_that_is_too_large_is_read_to_its_end_and_refused():
    messages = [part(b"x" * 8), part(b"x" * 8), part(b"x", more=False)]
    with pytest.raises(TooLarge, match="more than the 10 bytes"):
        reading(messages)


def test_a_client_that_goes_away():
    with pytest.raises(Disconnected):
        reading([part(b"abc"), {"type": "http.disconnect"}])


def test_a_head_keeps_the_address_as_it_came():
    scope = {
        "method": "POST",
        "raw_path": b"/endpoints/a%20b/invocations",
        "query_string": b"a=%2F",
        "headers": [(b"Host", b"h"), (b"x-amz-a", b"1"), (b"X-Amz-A", b"2")],
    }
    head = read_head(scope)
    assert (head.path, head.query) == ("/endpoints/a%20b/invocations", "a=%2F")
    assert head.headers == {"host": "h", "x-amz-a": "1,2"}


def test_no_header_of_an_answer_breaks_out_of_its_line():
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(write(send, Outgoing(200, b"ok", {"X-Name": "a\r\nSet-Cookie: b\u20ac"})))
    assert sent[0]["headers"] == [(b"x-name", b"a  Set-Cookie: b?"), (b"content-length", b"2")]
    assert sent[1] == {"type": "http.response.body", "body": b"ok"}
