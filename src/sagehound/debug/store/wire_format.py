"""Protocol Buffers' wire format, as far as reading a few fields of a message takes it.

https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

from collections.abc import Iterator

from sagehound.debug.store.header import Damaged

Value = int | memoryview


def fields(data: memoryview, cut: bool = False) -> Iterator[tuple[int, Value]]:
    """The fields of a message in turn: number, and an integer, or bytes (also of fixed-size numbers).

    Raises Damaged where the message ends within a field; with `cut` it is known to, and what there is of its last
    field comes out.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        match key & 7:
            case 0:
                number, at = _varint(data, at)
                yield key >> 3, number
                continue
            case 1:
                size = 8
            case 2:
                size, at = _varint(data, at)
            case 5:
                size = 4
            case kind:
                raise Damaged(f"a field of the unknown wire type {kind}")
        if at + size > len(data) and not cut:
            raise Damaged(f"a field of {size} bytes where {len(data) - at} are left")
        yield key >> 3, data[at : at + size]
        at += size


def child(value: Value) -> memoryview:
    """A field that must be bytes or a message."""
    if isinstance(value, int):
        raise Damaged("a number where a message should be")
    return value


def integer(value: Value) -> int:
    """A field that must be a number, signed as int64 is."""
    if not isinstance(value, int):
        raise Damaged("bytes where a number should be")
    return value - (1 << 64) if value >= 1 << 63 else value


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    number = 0
    for place in range(10):
        if at + place >= len(data):
            raise Damaged("a number that does not end")
        byte = data[at + place]
        number |= (byte & 127) << (7 * place)
        if byte < 128:
            return number & (1 << 64) - 1, at + place + 1
    raise Damaged("a number of more than ten bytes")
