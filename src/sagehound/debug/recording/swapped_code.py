"""Putting something in the way of a Python function, for everybody who has it already.

Scripts write `from torch.nn.functional import cross_entropy`, before or after the hook is made, so putting another
function into the module would miss some. Here the function stays the same object and gets other code, which calls what
is in the way; that gets a function with the original code. Its signature, source and identity stay (torch.jit.script
and torch.compile go by them).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

#: Stands in the way of a function: called with the original and the arguments.
Around = Callable[..., Any]
_GLOBAL = "_sagehound_around"


def put_around(function: FunctionType, around: Around) -> None:
    """From now on a call of `function` is `around(original, *args, **kwargs)`. A second time replaces the first. A
    function that has a closure is refused with ValueError: its code cannot be exchanged."""
    take_away(function)
    if function.__code__.co_freevars:
        raise ValueError(f"{function.__qualname__} has a closure")
    original = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__)
    original.__kwdefaults__ = function.__kwdefaults__
    table = function.__globals__.setdefault(_GLOBAL, {})
    table[function.__qualname__] = (around, original)
    function.__code__ = _calling(function).replace(
        co_filename=function.__code__.co_filename,
        co_firstlineno=function.__code__.co_firstlineno,
        co_name=function.__code__.co_name,
        co_qualname=function.__code__.co_qualname,
    )


def take_away(function: FunctionType) -> None:
    """Give the function its own code again."""
    found = function.__globals__.get(_GLOBAL, {}).pop(function.__qualname__, None)
    if found is not None:
        function.__code__ = found[1].__code__


def _calling(function: FunctionType) -> Any:  # noqa: ANN401 - a code object
    """Code with the function's parameters that passes them on."""
    taken, passed = [], []
    star = False
    for parameter in inspect.signature(function).parameters.values():
        name = parameter.name
        match parameter.kind:
            case parameter.VAR_POSITIONAL:
                taken.append(f"*{name}")
                passed.append(f"*{name}")
                star = True
            case parameter.VAR_KEYWORD:
                taken.append(f"**{name}")
                passed.append(f"**{name}")
            case parameter.KEYWORD_ONLY:
                taken += ([] if star else ["*"]) + [name]
                passed.append(f"{name}={name}")
                star = True
            case _:
                taken.append(name)
                passed.append(name)
    call = f"around(original, {', '.join(passed)})"
    source = (
        f"def made({', '.join(taken)}):\n around, original = {_GLOBAL}[{function.__qualname__!r}]\n return {call}\n"
    )
    made: dict[str, FunctionType] = {}
    exec(compile(source, "<sagehound>", "exec"), made)
    return made["made"].__code__
