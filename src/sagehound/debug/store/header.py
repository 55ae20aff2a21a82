"""The header of a safetensors file: eight bytes of length, then JSON that says where each array stands.

The format is documented at https://github.com/huggingface/safetensors#format. It is read and written here directly:
the library copies every array once more before it writes, and to read one array it maps the whole file, which kills
the reader with SIGBUS when the file is cut meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod

import msgspec
import numpy as np

#: The format's word for a type, and how NumPy holds its bytes. bfloat16 and float8, which NumPy has not, are integers
#: here and float32 when they are read.
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
#: A header beyond this is taken for damage; the library has the same limit.
LIMIT_BYTES = 100_000_000
#: The format has no complex128: such an array is float64 with one more axis, real and imaginary part, and is named
#: in the file's metadata under this key.
COMPLEX128 = "complex128"
#: Arrays that are the same as another one stand in the file once: the format allows no two arrays to share bytes, so
#: the file's metadata says under this key which name stands for which.
SAME = "same"


class Entry(msgspec.Struct, frozen=True):
    """One array: its type, its shape, and its bytes' place after the header."""

    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


class Header(msgspec.Struct, frozen=True):
    """All arrays of a file by name, those that share another's bytes included; `start` is where the data begins, in
    bytes."""

    entries: dict[str, Entry]
    start: int
    complex128: frozenset[str] = frozenset()


class Damaged(ValueError):
    """The header says what cannot be; the reader adds the file's name."""


def encode(entries: dict[str, Entry], complex128: Iterable[str] = (), same: Mapping[str, str] | None = None) -> bytes:
    """The header's bytes, padded so that the data begin at a multiple of eight. `same` has names that stand for another
    one's array, which is among the entries."""
    metadata = {COMPLEX128: list(complex128), SAME: dict(same or {})}
    document: dict[str, object] = {key: msgspec.json.encode(value).decode() for key, value in metadata.items() if value}
    document = {"__metadata__": document} if document else {}
    document.update(entries)
    text = msgspec.json.encode(document)
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def length(first: bytes | bytearray) -> int:
    """Where the data begin, by the file's first eight bytes."""
    start = 8 + int.from_bytes(first[:8], "little")
    if len(first) < 8 or not 8 < start <= LIMIT_BYTES:
        raise Damaged(f"its header would end at byte {start}")
    return start


def decode(data: bytes | bytearray) -> Header:
    """The header that `data`, the beginning of a file, must hold whole."""
    start = length(data)
    if len(data) < start:
        raise Damaged(f"its header ends at byte {start} and the file before it")
    try:
        document = msgspec.json.decode(data[8:start], type=dict[str, msgspec.Raw])
        metadata = msgspec.json.decode(document.pop("__metadata__", b"{}"), type=dict[str, str])
        entries = {name: _ENTRY.decode(raw) for name, raw in document.items()}
        complex128 = msgspec.json.decode(metadata.get(COMPLEX128, "[]"), type=frozenset[str])
        same = msgspec.json.decode(metadata.get(SAME, "{}"), type=dict[str, str])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Damaged(f"its header is not what it should be: {error}") from error
    for name, entry in entries.items():
        _check(name, entry)
    for name, one in same.items():
        if one not in entries:
            raise Damaged(f"{name} is the same as {one}, which is not there")
        entries[name] = entries[one]
    return Header(entries, start, complex128)


_ENTRY = msgspec.json.Decoder(Entry)


def _check(name: str, entry: Entry) -> None:
    begin, end = entry.data_offsets
    if entry.dtype not in DTYPES:
        raise Damaged(f"{name} has the type {entry.dtype}, which is none of {', '.join(DTYPES)}")
    size = prod(entry.shape) * np.dtype(DTYPES[entry.dtype]).itemsize
    if min(entry.shape, default=0) < 0 or begin < 0 or end - begin != size:
        raise Damaged(
            f"{name} of shape {list(entry.shape)} and type {entry.dtype} cannot stand at bytes {begin} to {end}"
        )


def array(data: bytes | bytearray, entry: Entry, complex128: bool = False) -> np.ndarray:
    """The array, writable, whose bytes `data` are; bfloat16 and float8 as float32."""
    if len(data) < entry.data_offsets[1] - entry.data_offsets[0]:
        raise Damaged("the file is cut")
    found = np.frombuffer(data, dtype=DTYPES[entry.dtype])
    if entry.dtype in _WIDEN:
        found = _WIDEN[entry.dtype](found)
    found = found.reshape(entry.shape)
    if complex128:
        found = found.view("<c16").reshape(entry.shape[:-1])
    return found if found.flags.writeable else found.copy()


def _bfloat16(bits: np.ndarray) -> np.ndarray:
    # The upper half of a float32.
    return (bits.astype("<u4") << 16).view("<f4")


def _float8_e5m2(bits: np.ndarray) -> np.ndarray:
    # The upper half of a float16.
    return (bits.astype("<u2") << 8).view("<f2").astype("<f4")


def _float8_e4m3(bits: np.ndarray) -> np.ndarray:
    return np.take(_E4M3, bits)


def _e4m3_values() -> np.ndarray:
    """All 256 values: sign, four bits of exponent (bias 7), three of fraction, NaN at the end, no infinity; from
    Micikevicius et al. 2022, "FP8 formats for deep learning"."""
    code = np.arange(128)
    exponent, fraction = code >> 3, code & 7
    normal = (1 + fraction / 8) * 2.0 ** (exponent - 7)
    positive = np.where(exponent == 0, fraction / 8 * 2.0**-6, normal)
    positive[127] = np.nan
    return np.concatenate([positive, -positive]).astype("<f4")


_E4M3 = _e4m3_values()
_WIDEN = {"BF16": _bfloat16, "F8_E5M2": _float8_e5m2, "F8_E4M3": _float8_e4m3}
