"""A collection: tensors that are saved together, chosen by regular expressions and names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Collection:
    """A draft of the seam: the configuration's owner makes it whole."""

    def __init__(self, name: str, include_regex: Sequence[str] = (), tensor_names: Iterable[str] = ()) -> None:
        self.name = name
        self.include_regex = list(include_regex)
        self.tensor_names = set(tensor_names)
