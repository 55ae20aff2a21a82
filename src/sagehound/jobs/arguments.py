"""Hyperparameters as SageMaker's training toolkit reads them and passes them to a script."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_RESERVED = ("_tuning_objective_metric", "default_user_module_name")
#: Text that a shell leaves as it is, but for splitting it at spaces.
_PLAIN = re.compile(r"[\w@%+=:,./ -]*", re.ASCII)


def decode(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    """Each value read as JSON where it is JSON (v2 of the SDK sends `"\\"32\\""`), else as the text it is (v3).

    >>> decode({"lr": "0.1", "size": '"32"', "name": "abc", "wide": "true"})
    {'lr': 0.1, 'size': '32', 'name': 'abc', 'wide': True}
    """
    return {name: _decode_one(value) for name, value in hyperparameters.items()}


def is_reserved(name: str) -> bool:
    """Whether the platform keeps this hyperparameter to itself."""
    return name.startswith("sagemaker_") or name in _RESERVED


def to_arguments(values: Mapping[str, Any]) -> list[str]:
    """`--name value` for each, by name; one letter gets one dash, a mapping becomes `key=value,...`.

    >>> to_arguments({"lr": 0.1, "e": 2, "wide": True, "layers": [1, 2], "of": {"a": 1}})
    ['-e', '2', '--layers', '[1, 2]', '--lr', '0.1', '--of', 'a=1', '--wide', 'True']
    """
    return [part for name in sorted(values) for part in (_dashed(name), _text(values[name]))]


def command(program: str, arguments: list[str]) -> tuple[str, ...]:
    """What runs `program` with `arguments`: they are joined with spaces and split again by a shell, as SageMaker does.

    So a value with spaces arrives as several arguments, an empty one not at all, and quotes are taken off once more.

    >>> command("train.py", ["--lr", "0.1"])
    ('python', 'train.py', '--lr', '0.1')
    >>> command("train.py", ["--name", "it's"])
    ('/bin/sh', '-c', "python train.py --name it's")
    >>> command("train.sh", ["--lr", "0.1"])
    ('/bin/sh', '-c', './train.sh --lr 0.1')
    """
    start = f"python {program}" if program.endswith(".py") else f"./{program}"
    line = " ".join([start, *arguments])
    if program.endswith(".py") and _PLAIN.fullmatch(line):
        return tuple(line.split())
    return ("/bin/sh", "-c", line)


def environment_text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """A value as the toolkit writes it into an environment variable: text as it is, anything else as compact JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _decode_one(value: str) -> Any:  # noqa: ANN401
    try:
        return json.loads(value)
    except ValueError:
        return value


def _dashed(name: str) -> str:
    return f"--{name}" if len(name) > 1 else f"-{name}"


def _text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, dict):
        return ",".join(f"{key}={item}" for key, item in sorted(value.items()))
    return "" if value is None else str(value)
