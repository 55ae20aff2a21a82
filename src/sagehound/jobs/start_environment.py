"""The part of an environment that Python and the libraries read when they start: it cannot be changed afterwards."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

_READ_BY_PYTHON = re.compile(r"PYTHON\w+|LD_\w+|LANG|LANGUAGE|LC_\w+|TZ|HOME|TMPDIR|XDG_\w+|MALLOC_\w+|GLIBC_TUNABLES")
_READ_BY_LIBRARIES = re.compile(
    r"(?:OMP|GOMP|KMP|MKL|OPENBLAS|GOTO|BLIS|NUMEXPR|NUMBA|DNNL|ONEDNN|ATEN|TORCH|TORCHVISION|PYTORCH|TIMM|HF|NPY"
    r"|NUMPY|SCIPY|SKLEARN|JOBLIB|MPL|CUBLAS|CUDNN|TQDM)_\w+|HUGGINGFACE_\w+|MPLBACKEND|MPLCONFIGDIR"
    r"|CUDA_(?!VISIBLE_DEVICES$)\w+"
)
#: Of Python's own, those that mean the same to a script and to what starts it.
_UNDERSTOOD = frozenset(
    ["PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONIOENCODING", "PYTHONHASHSEED", "PYTHONUTF8", "PYTHONDONTWRITEBYTECODE"]
)


def start_environment(environment: Mapping[str, str], dropin: str, *, libraries: bool = True) -> dict[str, str] | None:
    """What a process must be started with to go on as one that was started in `environment`, with its own PATH.
    `libraries`: it has loaded some, which read variables as well.

    Of PYTHONPATH only `dropin` is in it, if that comes first: the rest is the script's. None where a process of its
    own is needed: a variable asks Python for something that is done at its start alone.
    """
    read = (_READ_BY_PYTHON, _READ_BY_LIBRARIES) if libraries else (_READ_BY_PYTHON,)
    chosen = {name: value for name, value in environment.items() if any(each.fullmatch(name) for each in read)}
    path = chosen.pop("PYTHONPATH", "")
    if any(name.startswith("PYTHON") and name not in _UNDERSTOOD for name in chosen):
        return None
    if path.split(os.pathsep)[0] == dropin:
        chosen["PYTHONPATH"] = dropin
    return chosen
