"""Python runs this file first in every job, endpoint and `sagehound run` (the folder is first on PYTHONPATH).

It lets torchvision from PyPI be imported beside a CPU build of torch (`vision/operators.py` says why), and then runs
the `sitecustomize` that it hides, if there is one. It works where the sagehound package cannot be imported. It imports
nothing that Python has not loaded by now, since it delays the start of everything: the rest waits for torchvision.
"""

import os
import sys

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


sys.meta_path.insert(0, _UntilTorchvision())
_run_hidden_sitecustomize()
