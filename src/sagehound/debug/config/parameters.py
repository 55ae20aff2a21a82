"""The parameters of the JSON configuration: one flat table of text for the hook and one for each collection.

The four that say at which steps to save can have a mode before them ("train.save_interval"), which goes before the one
without. What a collection gives goes before what the hook gives, parameter by parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sagehound.debug.config.reduction_config import ReductionConfig
from sagehound.debug.config.save_config import PARAMETERS as STEP_PARAMETERS
from sagehound.debug.config.save_config import SaveConfig, SaveConfigMode, whole
from sagehound.debug.modes import ModeKeys
from sagehound.errors import DebuggerValueError

PREFIXES = {f"{mode.name.lower()}.": mode for mode in ModeKeys}
#: What the hook and every collection can be told.
SHARED = (*STEP_PARAMETERS, "include_regex", "reductions", "save_raw_tensor", "save_shape", "save_histogram")
#: A mode's part of `SaveConfigMode`'s arguments.
Steps = dict[str, Any]


def check_names(params: Mapping[str, Any], allowed: Iterable[str]) -> None:
    """Refuse a parameter that is none of `allowed`, nor a step parameter with a mode before it."""
    allowed = tuple(allowed)
    for name in params:
        prefix, dot, rest = name.partition(".")
        if name not in allowed and not (f"{prefix}{dot}" in PREFIXES and rest in STEP_PARAMETERS):
            raise DebuggerValueError(
                f"unknown parameter {name!r}; allowed are {', '.join(allowed)}, and {', '.join(PREFIXES)} "
                f"before {', '.join(STEP_PARAMETERS)}"
            )


def steps_of(params: Mapping[str, Any], base: Mapping[ModeKeys, Steps] | None = None) -> dict[ModeKeys, Steps]:
    """For each mode what `params` say of its steps, over what `base` says.

    >>> steps = steps_of({"save_interval": "10", "eval.save_steps": "1, 2"})
    >>> steps[ModeKeys.TRAIN], steps[ModeKeys.EVAL]
    ({'save_interval': 10}, {'save_interval': 10, 'save_steps': [1, 2]})
    >>> steps_of({"save_interval": "5"}, steps)[ModeKeys.EVAL]
    {'save_interval': 5}
    """
    found = {}
    for prefix, mode in PREFIXES.items():
        inherited = dict((base or {}).get(mode, {}))
        found[mode] = _over(_level(params, prefix), _over(_level(params, ""), inherited))
    return found


def save_config(steps: Mapping[ModeKeys, Steps]) -> SaveConfig:
    return SaveConfig({mode: SaveConfigMode(**arguments) for mode, arguments in steps.items()})


def reduction_config(params: Mapping[str, Any]) -> ReductionConfig | None:
    """The reductions asked for; None where none are, and whole tensors are saved."""
    if not any(params.get(name) for name in ("reductions", "save_shape")):
        return None
    return ReductionConfig.from_dict(params)


def regexes(params: Mapping[str, Any]) -> list[str]:
    """The parameter `include_regex`."""
    value = params.get("include_regex") or ""
    if not isinstance(value, str):
        raise DebuggerValueError(f"include_regex {value!r} is no text; commas part several regular expressions")
    return split(value)


def split(text: str) -> list[str]:
    """The parts of a list with commas; a comma within brackets parts nothing.

    >>> split("relu, conv[0-9]{1,2}_output,")
    ['relu', 'conv[0-9]{1,2}_output']
    """
    parts, depth, escaped = [""], 0, False
    for sign in text:
        depth += 0 if escaped else (sign in "([{") - (sign in ")]}")
        escaped = sign == "\\" and not escaped
        if sign == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts if part.strip()]


def _level(params: Mapping[str, Any], prefix: str) -> Steps:
    """The step parameters that have exactly this prefix, as numbers."""
    found: Steps = {}
    for name in STEP_PARAMETERS:
        value = params.get(prefix + name)
        if value is None or value == "":
            continue
        if name == "save_steps":
            steps = split(value) if isinstance(value, str) else value if isinstance(value, list) else [value]
            found[name] = [whole(prefix + name, step) for step in steps]
        else:
            found[name] = whole(prefix + name, value, 1 if name == "save_interval" else 0)
    return found


def _over(own: Steps, base: Steps) -> Steps:
    """`base` with `own` over it. Save steps override an interval, but not one that was given closer by."""
    if "save_interval" in own and "save_steps" not in own:
        base = {name: value for name, value in base.items() if name != "save_steps"}
    return {**base, **own}
