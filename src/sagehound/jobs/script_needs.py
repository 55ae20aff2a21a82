"""What a script imports at its start that is worth having imported already, read from its source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

#: What may be imported ahead, in the order in which it is. These start no thread and open no device when they are
#: imported (a template looks whether that is so). pandas is not among them: its pyarrow starts a thread.
KNOWN = ("numpy", "PIL", "scipy", "sklearn", "matplotlib", "torch", "torchvision", "timm")
#: A script that speaks of these may change what an import finds or how a library starts, before it imports it. What is
#: appended to a search path hides nothing.
_CHANGES_IMPORTS = re.compile(
    rb"\bsys\.(?:path|modules|meta_path|path_hooks)\s*(?:\[[^\]\n]*\]\s*=(?!=)|\+?=(?!=)"
    rb"|\.(?:insert|remove|clear|pop|reverse|sort|update|setdefault)\b)|\bdel\s+sys\.|\baddsitedir\b"
    rb"|\bpip\b|\b(?:OMP|GOMP|KMP|MKL|OPENBLAS|NUMEXPR|MALLOC|LD|TORCH|PYTORCH|ATEN|HF|TIMM|NPY|NUMPY|MPL)_[A-Z]"
    rb"|HUGGINGFACE_|PYTHONPATH|PYTHONHASHSEED|GLIBC_TUNABLES|XDG_CACHE_HOME|MPLBACKEND|os\.exec"
)
#: What our own trainer imports: its sources are many, and always the same.
_OURS, _OUR_NEEDS = "sagehound.vision", ("numpy", "PIL.Image", "torch", "torchvision", "timm")
#: Sources beyond these are not read: the imports of a start stand in few.
_MAX_FILES, _MAX_BYTES = 64, 1_000_000


def needs(code: Path, script: str) -> frozenset[str] | None:
    """The dotted names, of packages in `KNOWN`, that `script` and the modules beside it import when they are loaded.

    None where the script must rather have an interpreter of its own: its text speaks of `pip`, or of variables that
    libraries read when they are loaded. So too where a source cannot be read or parsed: Python will say so.
    """
    found: set[str] = set()
    waiting, seen = [code / script], set[Path]()
    while waiting and len(seen) < _MAX_FILES:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        try:
            source = path.read_bytes()[:_MAX_BYTES]
            names = _names(source)
        except (OSError, SyntaxError, ValueError, RecursionError):
            return None
        if _CHANGES_IMPORTS.search(source):
            return None
        found.update(name for name in names if name.split(".")[0] in KNOWN)
        if any(name.startswith(_OURS) for name in names):
            found.update(_OUR_NEEDS)
        waiting += [file for name in names for file in _beside(path.parent, code, name)]
    return frozenset(found)


@lru_cache(maxsize=128)
def _names(source: bytes) -> tuple[str, ...]:
    """What a source imports; the trials of a tuning job all come with the same one."""
    return tuple(_imported(ast.parse(source)))


def _imported(tree: ast.Module) -> Iterator[str]:
    """What a module imports when it is loaded: not what stands in functions."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # What is taken from a package may be a module too: `from PIL import Image`.
            inside = [f"{node.module}." * bool(node.module) + alias.name for alias in node.names if alias.name != "*"]
            yield from ([node.module] if node.module else [])
            yield from inside
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _beside(folder: Path, code: Path, name: str) -> list[Path]:
    """The files of a module of the job's own."""
    parts = name.split(".")
    places = [root.joinpath(*parts) for root in dict.fromkeys((folder, code))]
    packages = [code.joinpath(*parts[:n], "__init__.py") for n in range(1, len(parts) + 1)]
    return [path for path in (*(place.with_suffix(".py") for place in places), *packages) if path.is_file()]
