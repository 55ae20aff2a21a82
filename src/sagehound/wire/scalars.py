"""Single values between their wire form and Python's: numbers, booleans, timestamps, bytes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, NoReturn

from sagehound.wire.errors import Malformed
from sagehound.wire.model import Shape

#: The year 9999: the last that a calendar date can say.
_LAST_INSTANT = 253402300799.0


def read_scalar(shape: Shape, value: Any, at: str) -> Any:  # noqa: ANN401
    """The Python value of a JSON scalar; Malformed names the place and what belongs there."""
    return _READERS[shape.type](value, at)


def read_text(shape: Shape, text: str, at: str) -> Any:  # noqa: ANN401
    """The JSON scalar that `text`, from a form, an address or a header, stands for."""
    try:
        match shape.type:
            case "integer" | "long":
                return int(text)
            case "float" | "double":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
            case _:
                return text
    except (ValueError, KeyError):
        _refuse(text, at, f"a {shape.type}")


def read_instant(value: Any, at: str) -> float:  # noqa: ANN401
    """Seconds since the epoch of a number, an ISO 8601 date (UTC where it has no zone) or an HTTP date."""
    try:
        seconds = _seconds(value)
    except (ValueError, TypeError, OverflowError):
        seconds = None
    if seconds is None or not -_LAST_INSTANT <= seconds <= _LAST_INSTANT:
        _refuse(value, at, "a timestamp (seconds since the epoch, or an ISO 8601 date)")
    return seconds


def iso8601(seconds: float) -> str:
    """`2026-11-22T16:30:26.742Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(value: Any) -> float:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError
    if not isinstance(value, str):
        return float(value)
    try:
        return float(value)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = parsedate_to_datetime(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _text(value: Any, at: str) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        _refuse(value, at, "a string")
    return value


def _truth(value: Any, at: str) -> bool:  # noqa: ANN401
    if not isinstance(value, bool):
        _refuse(value, at, "true or false")
    return value


def _whole(value: Any, at: str, bits: int = 31) -> int:  # noqa: ANN401
    whole = not isinstance(value, bool) and (
        isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    )
    if not whole or not -(2**bits) <= value < 2**bits:
        _refuse(value, at, f"a whole number of at most {bits + 1} bits")
    return int(value)


def _number(value: Any, at: str) -> float:  # noqa: ANN401
    if value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        _refuse(value, at, "a number")
    try:
        return float(value)
    except OverflowError:
        _refuse(value, at, "a number")


def _decoded(value: Any, at: str) -> bytes:  # noqa: ANN401
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        _refuse(value, at, "base64")


def _refuse(value: Any, at: str, wanted: str) -> NoReturn:  # noqa: ANN401
    raise Malformed(f"{str(value)[:200]!r} at {at!r} cannot be read: it must be {wanted}")


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "string": _text,
    "character": _text,
    "boolean": _truth,
    "integer": _whole,
    "long": partial(_whole, bits=63),
    "float": _number,
    "double": _number,
    "timestamp": read_instant,
    "blob": _decoded,
}
