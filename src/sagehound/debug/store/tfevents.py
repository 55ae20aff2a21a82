"""One tensor in an event file of the original debugger: a TFRecord that holds a TensorFlow `Event`.

A record is eight bytes of length, four of checksum, the event, four of checksum. The original does not compute the
second checksum, so neither is verified. Of the event, `summary.value[0]` has the tensor: field 5, 1, 8 in the
messages' numbering (tensorflow/core/util/event.proto, framework/summary.proto, framework/tensor.proto).
"""

from __future__ import annotations

from math import prod

import msgspec
import numpy as np

from sagehound.debug.store.header import Damaged
from sagehound.debug.store.wire_format import child, fields, integer

_LENGTH, _CHECKSUM = 8, 4
#: TensorFlow's numbers for types (framework/types.proto); bfloat16 is widened below.
_DTYPES = {
    1: "<f4",
    2: "<f8",
    3: "<i4",
    4: "u1",
    5: "<i2",
    6: "i1",
    8: "<c8",
    9: "<i8",
    10: "?",
    14: "<u2",
    17: "<u2",
    18: "<c16",
    19: "<f2",
    22: "<u4",
    23: "<u8",
}
_BFLOAT16 = 14


class EventTensor(msgspec.Struct, frozen=True):
    """A tensor's description, and its bytes as far as they were read; `strings` where it holds text."""

    shape: tuple[int, ...]
    number: int
    content: memoryview
    strings: tuple[str, ...] = ()

    @property
    def dtype(self) -> str:
        """torch's word for the type."""
        if self.number == _BFLOAT16:
            return "bfloat16"
        return np.dtype(_DTYPES[self.number]).name if self.number in _DTYPES else "str"

    def array(self) -> np.ndarray:
        """The whole tensor; Damaged where not all of it is there."""
        if self.strings:
            return np.array(self.strings)
        if self.number not in _DTYPES:
            raise Damaged(f"TensorFlow's type {self.number}, which was never written")
        dtype = np.dtype(_DTYPES[self.number])
        if len(self.content) != prod(self.shape) * dtype.itemsize:
            raise Damaged(f"{len(self.content)} bytes for {dtype} of shape {list(self.shape)}")
        found = np.frombuffer(self.content, dtype=dtype).reshape(self.shape)
        if self.number == _BFLOAT16:
            return (found.astype("<u4") << 16).view("<f4")
        return found.copy()


def event_tensor(record: bytes | bytearray, cut: bool = False) -> EventTensor:
    """The tensor of a record; with `cut` the record's beginning will do, for all but the content."""
    length = int.from_bytes(record[:_LENGTH], "little")
    begin = _LENGTH + _CHECKSUM
    if len(record) < begin or (not cut and len(record) < begin + length):
        raise Damaged(f"a record of {length} bytes where {max(0, len(record) - begin)} are left")
    at = memoryview(record)[begin : begin + length]
    for number in (5, 1, 8):
        at = next((child(value) for field, value in fields(at, cut) if field == number), memoryview(b""))
    return _tensor(at, cut)


def _tensor(message: memoryview, cut: bool) -> EventTensor:
    dtype, shape, content, strings = 0, [], memoryview(b""), []
    for field, value in fields(message, cut):
        match field:
            case 1:
                dtype = integer(value)
            case 2:
                shape = [_size(child(dim), cut) for number, dim in fields(child(value), cut) if number == 2]
            case 4:
                content = child(value)
            case 8:
                strings.append(bytes(child(value)).decode("utf-8", "replace"))
    if min(shape, default=0) < 0:
        raise Damaged(f"the shape {shape}")
    return EventTensor(tuple(shape), dtype, content, tuple(strings))


def _size(dim: memoryview, cut: bool) -> int:
    return next((integer(value) for field, value in fields(dim, cut) if field == 1), 0)
