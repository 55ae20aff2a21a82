"""The header of a safetensors file: eight bytes of length, then JSON that says where each array stands.

The format is documented at https://github.com/huggingface/safetensors#format. It is read and written here directly:
the library copies every array once more before it writes, and to read one array it maps the whole file, which kills
the reader with SIGBUS when the file is cut meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

import msgspec
import numpy as np

#: The format's word for a type, and how NumPy holds its bytes. Those of WIDENED become float32 when they are read.
DTYPES: dict[str, str] = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "F8_E4M3": "u1",
    "F8_E5M2": "u1",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "u1",
    "BOOL": "?",
    "C64": "<c8",
}
WIDENED = {"BF16", "F8_E4M3", "F8_E5M2"}
#: A header beyond this is taken for damage; the library has the same limit.
LIMIT_BYTES = 100_000_000
#: The format has no complex128: such an array is float64 with one more axis, real and imaginary part, and is named
#: in the file's metadata under this key.
COMPLEX128 = "complex128"


class Entry(msgspec.Struct, frozen=True):
    """One array: its type, its shape, and its bytes' place after the header."""

    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


class Header(msgspec.Struct, frozen=True):
    """All arrays of a file by name; `start` is where the data begins, in bytes."""

    entries: dict[str, Entry]
    start: int
    complex128: frozenset[str] = frozenset()


class Damaged(ValueError):
    """The header says what cannot be; the reader adds the file's name."""


def encode(entries: dict[str, Entry], complex128: Iterable[str] = ()) -> bytes:
    """The header's bytes, padded so that the data begin at a multiple of eight."""
    named = list(complex128)
    document: dict[str, object] = {"__metadata__": {COMPLEX128: msgspec.json.encode(named).decode()}} if named else {}
    document.update(entries)
    text = msgspec.json.encode(document)
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def length(first: bytes, size: int) -> int:
    """Where the data of a file of `size` bytes begin, by its first eight bytes."""
    start = 8 + int.from_bytes(first[:8], "little")
    if len(first) < 8 or not 8 < start <= min(size, LIMIT_BYTES):
        raise Damaged(f"its header would end at byte {start} of {size}")
    return start


def decode(data: bytes, size: int) -> Header:
    """The header at the beginning of a file of `size` bytes; `data` holds it whole."""
    start = length(data, size)
    try:
        document = msgspec.json.decode(data[8:start], type=dict[str, msgspec.Raw])
        metadata = msgspec.json.decode(document.pop("__metadata__", b"{}"), type=dict[str, str])
        entries = {name: _ENTRY.decode(raw) for name, raw in document.items()}
        complex128 = msgspec.json.decode(metadata.get(COMPLEX128, "[]"), type=frozenset[str])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Damaged(f"its header is not what it should be: {error}") from error
    for name, entry in entries.items():
        _check(name, entry, size - start)
    return Header(entries, start, complex128)


_ENTRY = msgspec.json.Decoder(Entry)


def _check(name: str, entry: Entry, available: int) -> None:
    begin, end = entry.data_offsets
    if entry.dtype not in DTYPES:
        raise Damaged(f"{name} has the type {entry.dtype}, which is none of {', '.join(DTYPES)}")
    if min(entry.shape, default=0) < 0 or end - begin != prod(entry.shape) * np.dtype(DTYPES[entry.dtype]).itemsize:
        raise Damaged(f"{name} of shape {entry.shape} and type {entry.dtype} cannot have {end - begin} bytes")
    if not 0 <= begin <= end <= available:
        raise Damaged(f"{name} stands at bytes {begin} to {end} of {available}: the file is cut")
