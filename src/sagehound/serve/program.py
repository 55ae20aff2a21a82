"""The user's module: where it is, and how it is imported."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from sagehound.errors import JobFailure

DEFAULT_PROGRAM = "inference.py"


def find_program(model_dir: Path, environment: Mapping[str, str]) -> Path | None:
    """The file of the user's module, or None where there is none and none was asked for.

    The name is `SAGEMAKER_PROGRAM` or inference.py. It is looked for in `SAGEMAKER_SUBMIT_DIRECTORY` where that is a
    folder, in `code` in the model archive, in `code` beside the model folder (where a sourcedir.tar.gz is unpacked),
    and in the archive's root. JobFailure where `SAGEMAKER_PROGRAM` names a file that is in none of them.
    """
    name = environment.get("SAGEMAKER_PROGRAM", "").strip()
    folders = _folders(model_dir, environment.get("SAGEMAKER_SUBMIT_DIRECTORY", ""))
    for folder in folders:
        path = folder / (name or DEFAULT_PROGRAM)
        if path.is_file():
            return path
    if not name:
        return None
    listed = "; ".join(f"{folder} has {_scripts(folder)}" for folder in folders if folder.is_dir()) or "no folder"
    raise JobFailure(
        f"SAGEMAKER_PROGRAM is {name!r} and no such file came with the model: {listed}."
        " Put it in code/ of the model archive, or name it as entry_point"
    )


def _folders(model_dir: Path, submitted: str) -> list[Path]:
    places = [model_dir / "code", model_dir.parent / "code", model_dir]
    if submitted and not submitted.startswith("s3://"):
        places.insert(0, Path(submitted.removeprefix("file://")))
    return list(dict.fromkeys(places))


def _scripts(folder: Path) -> str:
    return ", ".join(sorted(path.name for path in folder.glob("*.py"))) or "no .py file"


def load_program(path: Path) -> ModuleType:
    """Import the file under its own name, so that what stands under `if __name__ == "__main__"` does not run; its
    folder comes first on `sys.path`. Whatever the module raises goes on to the caller."""
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise JobFailure(f"{path.name} is not a Python file; name one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    # Under its name before it runs: pickles and dataclasses look a module up there.
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
