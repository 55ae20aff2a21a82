"""The import name of the original debugger, answered by `sagehound.debug`, and by `sagehound.profile` for its profiler.

The folder above is first on the path of jobs, of `sagehound run` and `sagehound env`, and of a program that called
`sagehound.activate()`, so this is what `import smdebug` finds there, whatever `pip install smdebug` has put elsewhere.
"""

import sys

try:
    from sagehound.debug.config.collection import CollectionKeys
    from sagehound.debug.config.reduction_config import ReductionConfig
    from sagehound.debug.config.save_config import SaveConfig, SaveConfigMode
    from sagehound.debug.modes import modes
except ImportError as error:
    raise ImportError(
        f"smdebug is Sagehound's here ({__file__}), and this interpreter ({sys.executable}) cannot import it: {error}. "
        "Install sagehound in it, or take the folder off PYTHONPATH to get another smdebug"
    ) from error

__version__ = "1.0.34+sagehound"
__all__ = ["CollectionKeys", "ReductionConfig", "SaveConfig", "SaveConfigMode", "__version__", "modes"]

_INSTEAD = {
    "tensorflow": "only PyTorch is debugged here: import smdebug.pytorch",
    "mxnet": "only PyTorch is debugged here: import smdebug.pytorch",
    "xgboost": "only PyTorch is debugged here: import smdebug.pytorch",
    "profiler": "smdebug.profiler has the readers, PandasFrame and the charts; the rest is in the report that "
    "`sagehound report JOB` writes",
}


class _NotOffered:
    """The last finder: says what to do about a module of the original that is not here."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        package, _, rest = name.partition(".")
        if package == __name__:
            instead = _INSTEAD.get(rest.partition(".")[0])
            instead = instead or "sagehound.debug has the debugger's public names, and COVERAGE.md lists what differs"
            raise ModuleNotFoundError(f"{name} of the original smdebug is not offered by Sagehound: {instead}")


sys.meta_path.append(_NotOffered())
