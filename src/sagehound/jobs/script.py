"""How a process forked from a template goes on as `python script.py`, without an interpreter's start.

What a new interpreter would have of its own, this one is given: environment, arguments, path, `__main__`, signals,
random numbers. Where a command is anything else, or the script's folder hides a module that is loaded, it is executed
plainly. One thing stays: below the script's outermost frame lies another, which no traceback shows.
"""

# ruff: noqa: PTH100, PTH109, PTH118, PTH120, PTH123, PTH208

from __future__ import annotations

import os
import signal
import sys
from types import CodeType, ModuleType

from sagehound.jobs.keeper import Unwound
from sagehound.jobs.overlay import site_packages, underneath
from sagehound.jobs.start_environment import start_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn

    from sagehound.jobs.stash import Stash

#: Modules that Python itself imports at its start, by these names: a script's folder with one needs a start.
_AT_START = frozenset(["sitecustomize", "usercustomize"])
#: What Python ignores from its start on.
_IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)


class Script(Unwound):
    """`python script.py` as it will run: where its interpreter is, its code, its search path."""

    def __init__(self, argv: list[str], executable: str, code: CodeType, path: list[str]) -> None:
        super().__init__(argv)
        self.argv, self.executable, self.code, self.path = argv, executable, code, path


class Actor:
    """Knows the interpreter that it is part of: `plain` is what is loaded in a new one, `path` its search path without
    PYTHONPATH, `sites` the package folders that jobs see underneath their own, `dropin` our folder on PYTHONPATH."""

    def __init__(self, plain: set[str], path: list[str], sites: list[str], dropin: str, stash: Stash) -> None:
        self._plain, self._path, self._sites, self._dropin, self._stash = plain, path, sites, dropin, stash
        self._libraries = bool(stash.tops())
        self._environment = start_environment(os.environ, dropin, libraries=self._libraries)

    def execute(self, program: str, argv: list[str], environment: dict[str, str]) -> NoReturn:
        """Raise the `Script` that this is; become any other program. An `Execute` of the keeper."""
        try:
            script = self._script(program, argv, environment)
        except Exception:  # noqa: BLE001 - whatever it is, the script has a plain start
            script = None
        if script is not None:
            raise script
        os.execvpe(program, argv, environment)

    def _script(self, program: str, argv: list[str], environment: dict[str, str]) -> Script | None:
        executable = _found(program, environment)
        if len(argv) < 2 or not argv[1].endswith(".py") or not self._is_own(executable):
            return None
        if start_environment(environment, self._dropin, libraries=self._libraries) != self._environment:
            return None
        file = os.path.abspath(argv[1])
        folder = os.path.dirname(os.path.realpath(file))
        python_path = [os.path.abspath(entry) for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
        if self._hidden([folder, *(entry for entry in python_path if entry != self._dropin)]):
            return None
        try:
            with open(file, "rb") as source:
                code = compile(source.read(), file, "exec", dont_inherit=True)
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        path = list(dict.fromkeys([*python_path, *self._base(executable)]))
        return Script(argv, executable, code, [folder, *path])

    def _is_own(self, executable: str) -> bool:
        """Whether this interpreter is that one: by its own name, or by that of a job with nothing installed."""
        if executable == sys.executable:
            return True
        packages = site_packages(_prefix(executable))
        try:
            return (
                os.path.realpath(executable) == os.path.realpath(sys.executable)
                and os.listdir(packages) == ["_lower.pth"]
                and _read(f"{packages}/_lower.pth") == underneath(self._sites)
            )
        except OSError:
            return False

    def _base(self, executable: str) -> list[str]:
        if executable == sys.executable:
            return self._path
        first = next((n for n, entry in enumerate(self._path) if entry in self._sites), len(self._path))
        return [*self._path[:first], site_packages(_prefix(executable)), *self._path[first:]]

    def _hidden(self, folders: list[str]) -> bool:
        """Whether a module in `folders` would have been found instead of one that is loaded."""
        loaded = {name.partition(".")[0] for name in sys.modules if name not in self._plain} | self._stash.tops()
        taken = (loaded | _AT_START) - {"sagehound", "__main__"}
        return any(not taken.isdisjoint(_modules_in(folder)) for folder in folders)

    def enter(self, script: Script, environment: Mapping[str, str]) -> dict[str, Any]:
        """Make this process the script's; the namespace in which its code is to run."""
        os.closerange(3, 4096)
        _signals_as_new()
        os.environ.clear()
        os.environ.update(environment)
        _interpreter_as_new(script)
        self._modules_as_new()
        main = ModuleType("__main__")
        main.__dict__.update(
            __file__=script.code.co_filename, __builtins__=__import__("builtins"), __annotations__={}, __cached__=None
        )
        from importlib.machinery import SourceFileLoader

        main.__loader__ = SourceFileLoader("__main__", script.code.co_filename)
        sys.modules["__main__"] = main
        return main.__dict__

    def _modules_as_new(self) -> None:
        for name in [name for name in sys.modules if name == "sagehound" or name.startswith("sagehound.")]:
            del sys.modules[name]
        sys.meta_path.insert(0, self._stash)
        numbers = self._stash.module("numpy.random")
        if numbers is not None:
            numbers.seed()
        torch = self._stash.module("torch")
        if torch is not None:
            torch.default_generator.seed()
        if self._dropin == os.environ.get("PYTHONPATH", "").split(os.pathsep)[0]:
            _hooks_as_new(self._dropin)


def _hooks_as_new(dropin: str) -> None:
    """What the drop-in `sitecustomize` would have done for this job; it ran for the template."""
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("_sagehound_sitecustomize", os.path.join(dropin, "sitecustomize.py"))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    module.follow_torch()


def _signals_as_new() -> None:
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if signal.getsignal(number) not in (signal.SIG_DFL, signal.SIG_IGN, None):
            signal.signal(number, signal.SIG_DFL)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _interpreter_as_new(script: Script) -> None:
    sys.argv, sys.orig_argv = script.argv[1:], list(script.argv)
    sys.path[:] = script.path
    sys.path_importer_cache.clear()
    if script.executable != sys.executable:
        _another_prefix(script.executable)
    if "tempfile" in sys.modules:
        sys.modules["tempfile"].tempdir = None  # type: ignore[attr-defined]
    if "multiprocessing.process" in sys.modules:
        process = sys.modules["multiprocessing.process"]
        process.ORIGINAL_DIR = os.getcwd()  # type: ignore[attr-defined]
        process.current_process().authkey = os.urandom(32)
    if "multiprocessing.spawn" in sys.modules:
        sys.modules["multiprocessing.spawn"].set_executable(script.executable)


def _another_prefix(executable: str) -> None:
    """Be the interpreter of another environment over the same packages."""
    sys.executable, sys.prefix, sys.exec_prefix = executable, _prefix(executable), _prefix(executable)
    import site

    site.PREFIXES[:] = [sys.prefix]
    site.ENABLE_USER_SITE = False
    if "sysconfig" in sys.modules:
        from importlib import reload

        reload(sys.modules["sysconfig"])


def cut(problem: BaseException, outer: CodeType) -> None:
    """Take the frames of `outer`, which runs the script, out of the traceback that Python is about to print."""
    hook = sys.excepthook

    def print_it(kind: type[BaseException], value: BaseException, trace: Any) -> None:  # noqa: ANN401
        sys.excepthook = hook
        while trace is not None and trace.tb_frame.f_code is outer:
            trace = trace.tb_next
        hook(kind, value.with_traceback(trace), trace)

    if not isinstance(problem, SystemExit):
        sys.excepthook = print_it


def _found(program: str, environment: Mapping[str, str]) -> str:
    """The file that `execvpe` would run."""
    if "/" in program:
        return os.path.abspath(program)
    places = environment.get("PATH", os.defpath).split(os.pathsep)
    files = (os.path.join(place, program) for place in places)
    return next((file for file in files if os.access(file, os.X_OK) and os.path.isfile(file)), "")  # noqa: PTH113


def _prefix(executable: str) -> str:
    return os.path.dirname(os.path.dirname(executable))


def _modules_in(folder: str) -> set[str]:
    try:
        return {name.partition(".")[0] for name in os.listdir(folder)}
    except OSError:
        return set()


def _read(path: str) -> str:
    with open(path) as file:
        return file.read()
