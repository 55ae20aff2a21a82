"""Whether the values that a tuner chose reach the script: what it is started with, and what its code reads.

The code is read, not run, and only to speak of it: a note that is wrong costs a line in a log. What cannot be told from
the code (options made in a loop, a library that takes every hyperparameter) is left alone.
"""

from __future__ import annotations

import ast
import difflib
import json
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sagehound.jobs.arguments import decode

_MOST_FILES, _MOST_BYTES = 200, 256 * 1024
#: Libraries that leave a script's arguments alone.
_DEAF = {
    *("PIL", "accelerate", "albumentations", "boto3", "cv2", "matplotlib", "numpy", "pandas", "safetensors", "scipy"),
    *("seaborn", "sklearn", "smdebug", "tensorboardX", "timm", "torch", "torchmetrics", "torchvision", "tqdm"),
}
#: Who reads one of these may use every hyperparameter, whatever its name.
_READS_ALL = re.compile(r"SM_HPS|SM_TRAINING_ENV|SM_USER_ARGS|hyperparameters\.json|sys\.argv")


@dataclass(slots=True)
class _Code:
    """What the code says of hyperparameters: options of its parsers, and every word that may be one's name."""

    options: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    imported: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)
    reads_all: bool = False

    @property
    def may_read_elsewhere(self) -> bool:
        """Whether it imports a library that may read the arguments for it."""
        return bool(self.imported - self.own - _DEAF - sys.stdlib_module_names)


def undelivered(code: Path, argv: Sequence[str], config: Path, tuned: Mapping[str, str]) -> list[str]:
    """What to tell the user of the values in `tuned` (as text, as they were suggested) that the script will not get, or
    not use. `code` is the folder of its files, `argv` what is run, `config` its hyperparameters.json."""
    values = decode(tuned)
    arguments = _arguments(argv)
    written = json.loads(config.read_text()) if config.is_file() else {}
    notes = [
        f"{name} was suggested as {tuned[name]} and is {written[name]!r} in hyperparameters.json"
        for name in sorted(tuned)
        if name in written and decode({name: written[name]})[name] != values[name]
    ]
    if arguments is None or not code.is_dir():
        return notes
    read = _read(code)
    for name in sorted(tuned):
        note = _misread(name, str(values[name]), arguments) or _unused(name, str(values[name]), read)
        notes += [note] if note else []
    return notes


def _arguments(argv: Sequence[str]) -> list[str] | None:
    """The script's arguments as it receives them; None for a command that is not passed any."""
    words = list(argv)
    if words[:2] == ["/bin/sh", "-c"]:
        try:
            words = shlex.split(words[2])
        except ValueError:
            return None
    first = next((place for place, word in enumerate(words) if word.startswith("-") and place > 1), None)
    return words[first:] if first is not None else None


def _misread(name: str, value: str, arguments: list[str]) -> str:
    flag = f"--{name}" if len(name) > 1 else f"-{name}"
    places = [place for place, word in enumerate(arguments) if word == flag]
    if not places:
        return f"{name} is not among the script's arguments"
    received = arguments[places[-1] + 1 : places[-1] + 2]
    if received == [value]:
        return ""
    return (
        f"{name} was suggested as {value!r}, and the script receives {' '.join(received) or 'nothing'!r}: the command "
        "line is split at spaces and its quotes are taken off, as SageMaker does; choose values without them"
    )


def _unused(name: str, value: str, code: _Code) -> str:
    if code.reads_all or not (code.options or code.words):
        return ""
    flag = f"--{name}" if len(name) > 1 else f"-{name}"
    if any(option == flag or option.startswith(flag) for option in code.options):
        return ""
    if {name, f"SM_HP_{name.upper()}"} & code.words:
        return ""
    if not code.options:
        other = code.may_read_elsewhere or name.replace("-", "_") in code.words
        return "" if other else f"no file of the code mentions {name}; its value {value} may not be used"
    near = difflib.get_close_matches(flag, sorted(code.options), n=1)
    instead = f" (it has {near[0]}: give the hyperparameter that name)" if near else ""
    return f"the script's parser has no option {flag}{instead}; the value {value} may not be used"


def _read(folder: Path) -> _Code:
    code = _Code()
    for path in sorted(folder.rglob("*.py"))[:_MOST_FILES]:
        text = _text(path)
        code.own.update(path.relative_to(folder).with_suffix("").parts)
        code.reads_all = code.reads_all or bool(_READS_ALL.search(text))
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            code.reads_all = True  # What cannot be read is left alone.
            continue
        for node in ast.walk(tree):
            code.options.update(_options(node))
            code.words.update(_words(node))
            code.imported.update(_imported(node))
    return code


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MOST_BYTES).decode(errors="replace")


def _options(node: ast.AST) -> Iterator[str]:
    """The options of a parser, as argparse, click and Typer are told them."""
    if not isinstance(node, ast.Call):
        return
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called in ("add_argument", "option", "Option"):
        yield from (text for text in _texts(node.args) if text.startswith("-"))


def _words(node: ast.AST) -> Iterator[str]:
    """Texts, and the names of parameters and of fields, of which some libraries make options."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.arguments):
        yield from (each.arg for each in (*node.posonlyargs, *node.args, *node.kwonlyargs))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id


def _imported(node: ast.AST) -> Iterator[str]:
    """The outermost modules that are imported."""
    if isinstance(node, ast.Import):
        yield from (each.name.partition(".")[0] for each in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module.partition(".")[0]


def _texts(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
