"""Python runs this file first in every job, endpoint and `sagehound run` (the folder is first on PYTHONPATH).

It lets torchvision from PyPI be imported beside a CPU build of torch (`vision/operators.py` says why), hooks what torch
computes where a job asks for tensors (SAGEHOUND_AUTO_HOOK=1) or for a profile (SAGEHOUND_AUTO_PROFILE=1), and then runs
the `sitecustomize` that it hides, if there is one. It works where the sagehound package cannot be imported. It imports
nothing that Python has not loaded by now, since it delays the start of everything: the rest waits for torch and
torchvision.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_FOLDER = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 (importing pathlib takes 5 ms)


class _UntilTorchvision:
    """Finds nothing: sees torchvision asked for, and brings in the real hook just before it."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name != "torchvision":
            return
        from importlib.util import module_from_spec, spec_from_file_location

        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not self]
        file = os.path.join(os.path.dirname(_FOLDER), "vision", "operators.py")  # noqa: PTH118, PTH120
        spec = spec_from_file_location("_sagehound_operators", file)
        assert spec is not None and spec.loader is not None
        operators = module_from_spec(spec)
        spec.loader.exec_module(operators)
        operators.install()


class _AfterTorch:
    """Finds torch as the other finders do, and has what the job asks for installed right after it was imported."""

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        if name != "torch":
            return None
        others = [finder for finder in sys.meta_path if not isinstance(finder, _AfterTorch)]
        specs = (finder.find_spec(name, path, target) for finder in others)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is not None and spec.loader is not None:
            self._follow(spec.loader)
        return spec

    def _follow(self, loader: object) -> None:
        execute = loader.exec_module  # type: ignore[attr-defined]

        def exec_module(module: object) -> None:
            del loader.exec_module  # type: ignore[attr-defined]
            execute(module)
            sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _AfterTorch)]
            if _half_made():
                sys.meta_path.insert(0, _Later())
            else:
                _install()

        loader.exec_module = exec_module  # type: ignore[attr-defined]


class _Later:
    """Finds nothing: installs at the first import after that of a module of the debugger or the profiler, where it was
    that one which brought torch in."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if not _half_made():
            sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Later)]
            _install()


def _half_made() -> bool:
    """Whether a module of the debugger or the profiler is being imported just now."""
    ours = ("sagehound.debug", "sagehound.profile")
    modules = [module for name, module in list(sys.modules.items()) if name.startswith(ours)]
    return any(getattr(getattr(module, "__spec__", None), "_initializing", False) for module in modules)


def _install() -> None:
    if os.environ.get("SAGEHOUND_AUTO_PROFILE") == "1":
        _install_from("sagehound.profile.automatic", "nothing is profiled", "profiler")
    if os.environ.get("SAGEHOUND_AUTO_HOOK") == "1":
        _install_from("sagehound.debug.automatic", "no tensors are saved", "debugger")


def _install_from(name: str, lost: str, part: str) -> None:
    try:
        from importlib import import_module

        install = import_module(name).install
    except Exception as error:  # noqa: BLE001 (whatever it is, the training goes on)
        sys.stderr.write(
            f"sagehound: {lost}: {sys.executable} cannot import the {part}, because of "
            f"{type(error).__name__}: {error}. Leave what it names out of requirements.txt\n"
        )
    else:
        install()


def _run_hidden_sitecustomize() -> None:
    others = [entry for entry in sys.path if os.path.abspath(entry or ".") != _FOLDER]  # noqa: PTH100
    specs = (finder.find_spec("sitecustomize", others) for finder in sys.meta_path)
    spec = next((spec for spec in specs if spec is not None), None)
    if spec is None or spec.loader is None:
        return
    from importlib.util import module_from_spec

    hidden = module_from_spec(spec)
    sys.modules["sitecustomize"] = hidden
    spec.loader.exec_module(hidden)


def follow_torch() -> None:
    """Wait for torch, where the environment asks for it."""
    if "1" in (os.environ.get("SAGEHOUND_AUTO_HOOK"), os.environ.get("SAGEHOUND_AUTO_PROFILE")):
        sys.meta_path.insert(0, _AfterTorch())


# `jobs/script.py` loads this file by another name, in a process whose interpreter started with it long before.
if __name__ == "sitecustomize":
    sys.meta_path.insert(0, _UntilTorchvision())
    follow_torch()
    _run_hidden_sitecustomize()
