"""Which reductions are saved in place of a whole tensor."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from sagehound.debug.reductions import NORMS, REDUCTIONS
from sagehound.errors import DebuggerTypeError, DebuggerValueError


class ReductionConfig:
    """The reductions of a collection's tensors, and whether the whole tensors are saved too.

    >>> ReductionConfig(reductions=["min", "max"], abs_norms=["l2"]).names
    ('min', 'max', 'abs_l2')
    >>> ReductionConfig.from_dict({"reductions": "mean,l1_norm,abs_variance", "save_raw_tensor": "True"}).names
    ('mean', 'l1', 'abs_variance')
    """

    def __init__(
        self,
        reductions: Iterable[str] | None = None,
        abs_reductions: Iterable[str] | None = None,
        norms: Iterable[str] | None = None,
        abs_norms: Iterable[str] | None = None,
        save_raw_tensor: bool = False,
        save_shape: bool = False,
    ) -> None:
        self.reductions = _checked("reductions", reductions, REDUCTIONS)
        self.abs_reductions = _checked("abs_reductions", abs_reductions, REDUCTIONS)
        self.norms = _checked("norms", norms, NORMS)
        self.abs_norms = _checked("abs_norms", abs_norms, NORMS)
        self.save_raw_tensor = truth("save_raw_tensor", save_raw_tensor)
        #: Kept for scripts that give it; the shape of a tensor is always saved.
        self.save_shape = truth("save_shape", save_shape)

    @property
    def names(self) -> tuple[str, ...]:
        """The reductions by the names in `reductions.NAMES`, each once."""
        absolute = [f"abs_{name}" for name in (*self.abs_reductions, *self.abs_norms)]
        return tuple(dict.fromkeys([*self.reductions, *self.norms, *absolute]))

    @property
    def saves_raw(self) -> bool:
        """Whether the whole tensor is saved: when asked for, and when there is nothing else to save instead."""
        return self.save_raw_tensor or not (self.names or self.save_shape)

    @classmethod
    def from_dict(cls, params: Mapping[str, Any]) -> ReductionConfig:
        """From the JSON configuration's words: `reductions` "min,abs_mean,l2_norm", `save_raw_tensor`, `save_shape`."""
        lists: dict[str, list[str]] = {"reductions": [], "abs_reductions": [], "norms": [], "abs_norms": []}
        for word in filter(None, (word.strip() for word in str(params.get("reductions", "")).split(","))):
            lists[_list_of(word)].append(word.removeprefix("abs_").removesuffix("_norm"))
        return cls(
            lists["reductions"],
            lists["abs_reductions"],
            lists["norms"],
            lists["abs_norms"],
            save_raw_tensor=truth("save_raw_tensor", params.get("save_raw_tensor", False)),
            save_shape=truth("save_shape", params.get("save_shape", False)),
        )

    def to_json_dict(self) -> dict[str, Any]:
        """In the JSON configuration's words."""
        words = [f"{name}_norm" if name.removeprefix("abs_") in NORMS else name for name in self.names]
        return {"save_raw_tensor": self.save_raw_tensor, "reductions": ",".join(words), "save_shape": self.save_shape}

    def to_json(self) -> str:
        return json.dumps(self.to_json_dict())

    @classmethod
    def from_json(cls, json_str: str) -> ReductionConfig:
        """From what `to_json` gave."""
        return cls.from_dict(msgspec.json.decode(json_str, type=dict[str, Any]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ReductionConfig) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"ReductionConfig({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"


def truth(name: str, value: object) -> bool:
    """A flag, from itself or its text.

    >>> truth("save_all", "False"), truth("save_all", "1")
    (False, True)
    """
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, (str, int)) and str(value).strip().lower() in words:
        return words[str(value).strip().lower()]
    raise DebuggerValueError(f"{name} {value!r} is not allowed: give True or False")


def _list_of(word: str) -> str:
    absolute = "abs_" if word.startswith("abs_") else ""
    rest = word.removeprefix("abs_")
    if rest.removesuffix("_norm") in NORMS:
        return f"{absolute}norms"
    if rest in REDUCTIONS:
        return f"{absolute}reductions"
    allowed = ", ".join([*REDUCTIONS, *(f"{name}_norm" for name in NORMS)])
    raise DebuggerValueError(f"unknown reduction {word!r}; there are {allowed}, each also with abs_ before it")


def _checked(parameter: str, names: Iterable[str] | None, allowed: tuple[str, ...]) -> list[str]:
    if isinstance(names, str):
        raise DebuggerTypeError(f"{parameter} {names!r} is no list: give names like [{allowed[0]!r}]")
    given = list(names or ())
    for name in given:
        if name not in allowed:
            raise DebuggerValueError(f"unknown name {name!r} in {parameter}; there are {', '.join(allowed)}")
    return given
