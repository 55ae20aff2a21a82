"""Functions of torch that are timed: each is put in place of the original, and can be taken away."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

#: Makes of the original function what is called in its place.
Around = Callable[[Callable[..., Any]], Callable[..., Any]]


class Patches:
    """Attributes that have another value until `close`. One that somebody else has put something over since stays."""

    def __init__(self) -> None:
        self._made: list[tuple[Any, str, Any, Any]] = []

    def put(self, owner: Any, name: str, around: Around) -> None:  # noqa: ANN401
        original = getattr(owner, name)
        made = wraps(original)(around(original))
        self._made.append((owner, name, original, made))
        setattr(owner, name, made)

    def close(self) -> None:
        for owner, name, original, made in reversed(self._made):
            if getattr(owner, name) is made:
                setattr(owner, name, original)
        self._made.clear()
