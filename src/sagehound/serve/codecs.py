"""Arrays on the wire: JSON, NPY and CSV, in and out.

The shapes are those of AWS's containers: a CSV of one line is one axis, JSON keeps its nesting.
"""

from __future__ import annotations

import io
import json
from typing import Any

from sagehound.errors import InvalidInput, Unsupported

JSON = "application/json"
NPY = "application/x-npy"
CSV = "text/csv"
#: Content types whose body reaches a user's `input_fn` as text, as on AWS. Every other one arrives as a bytearray.
TEXT_TYPES = frozenset({JSON, CSV})
ARRAY_TYPES = (JSON, NPY, CSV)


def media_type(header: str) -> str:
    """The bare type of a header.

    >>> media_type("Application/JSON; charset=utf-8")
    'application/json'
    """
    return header.partition(";")[0].strip().lower()


def decode(body: str | bytes | bytearray, content_type: str) -> Any:  # noqa: ANN401
    """The NumPy array in `body`; Unsupported for another content type, InvalidInput for a body that is not one."""
    kind = media_type(content_type)
    if kind not in ARRAY_TYPES:
        raise Unsupported(f"content type {content_type!r} is not decoded; send one of {', '.join(ARRAY_TYPES)}")
    if kind == NPY:
        return _npy(bytes(body, "latin-1") if isinstance(body, str) else bytes(body))
    content = text(body, kind)
    return _json(content) if kind == JSON else _csv(content)


def text(body: str | bytes | bytearray, content_type: str) -> str:
    """The body as text; InvalidInput where it is not UTF-8."""
    try:
        return body if isinstance(body, str) else body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the body is not {content_type}: byte {error.start} is not UTF-8") from None


def encode(value: Any, accept: str) -> tuple[bytes, str]:  # noqa: ANN401
    """`value` (an array, a tensor, numbers in lists, or for JSON whatever JSON can hold) in the first type that
    `accept` names and that is known, and that type. Unsupported where none is."""
    for kind in (media_type(part) for part in accept.split(",")):
        if kind in ("*/*", "application/*", ""):
            kind = JSON
        if kind in ARRAY_TYPES:
            return _encoders()[kind](_plain(value)), kind
    raise Unsupported(f"accept {accept!r} is not among what can be sent: {', '.join(ARRAY_TYPES)}")


def _json(content: str) -> Any:  # noqa: ANN401
    import numpy as np

    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"the body is not JSON: {error}") from None
    if isinstance(value, dict):
        named = [value[key] for key in ("instances", "inputs") if key in value]
        if not named:
            keys = ", ".join(map(repr, list(value)[:5]))
            raise InvalidInput(f"a JSON object ({keys}) is not an array; send lists of numbers, or write an input_fn")
        value = named[0]
    try:
        return np.array(value, dtype=None if _is_text(value) else np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidInput(f"the JSON is not an array: {error}") from None


def _is_text(value: object) -> bool:
    while isinstance(value, list) and value:
        value = value[0]
    return isinstance(value, str)


def _csv(content: str) -> Any:  # noqa: ANN401
    import numpy as np

    if not content.strip():
        raise InvalidInput("the CSV is empty; send numbers separated by commas, one line a row")
    try:
        table = np.loadtxt(io.StringIO(content), delimiter=",", ndmin=2)
    except ValueError as error:
        raise InvalidInput(f"the CSV is not numbers separated by commas: {error}") from None
    return table[0] if len(table) == 1 else table


def _npy(body: bytes) -> Any:  # noqa: ANN401
    import numpy as np
    from numpy.lib import format as npy

    stream = io.BytesIO(body)
    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(stream)
        if dtype.hasobject:
            raise ValueError("it holds Python objects, which are never unpickled")
        flat = np.frombuffer(body, dtype=dtype, offset=stream.tell())
        array = flat.reshape(shape, order="F" if fortran else "C")
    except (ValueError, EOFError, OverflowError) as error:
        raise InvalidInput(f"the body is not an NPY array: {error}") from None
    return array.copy()


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Tensors as arrays, whatever holds them left as it is."""
    detach = getattr(value, "detach", None)
    return detach().cpu().numpy() if callable(detach) else value


def _to_json(value: Any) -> bytes:  # noqa: ANN401
    def fallback(part: Any) -> Any:  # noqa: ANN401
        part = _plain(part)
        if hasattr(part, "tolist"):
            return part.tolist()
        if isinstance(part, (set, frozenset)):
            return sorted(part)
        raise TypeError(f"a {type(part).__name__} cannot be sent as JSON; turn it into numbers in an output_fn")

    return json.dumps(value, default=fallback).encode()


def _to_csv(value: Any) -> bytes:  # noqa: ANN401
    import numpy as np

    stream = io.StringIO()
    np.savetxt(stream, np.atleast_1d(np.asarray(value)), delimiter=",", fmt="%s")
    return stream.getvalue().encode()


def _to_npy(value: Any) -> bytes:  # noqa: ANN401
    import numpy as np

    stream = io.BytesIO()
    np.save(stream, np.asarray(value), allow_pickle=False)
    return stream.getvalue()


def _encoders() -> dict[str, Any]:
    return {JSON: _to_json, CSV: _to_csv, NPY: _to_npy}
