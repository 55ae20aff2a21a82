"""One training of the zoo, and what a good debugger says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: What a training is given: a hook as users of the debugger have it, or a stand-in with the same methods.
Script = Callable[[Any], None]


@dataclass(frozen=True)
class Training:
    """A small training in the style of users.

    `run` takes the hook. `fault` says what is wrong, "" in a healthy one. `expected` are the rules that are right to
    fire: each of them is held to it. `source` names who reported the fault.
    """

    name: str
    run: Script
    fault: str = ""
    expected: tuple[str, ...] = ()
    source: str = ""


def healthy(script: Script) -> Training:
    """A training that is as it should be: any rule that fires is wrong."""
    return Training(name=script.__name__, run=script)


def faulty(fault: str, *expected: str, source: str) -> Callable[[Script], Training]:
    """A training with exactly this fault, which these rules should find."""
    return lambda script: Training(script.__name__, script, fault, expected, source)
