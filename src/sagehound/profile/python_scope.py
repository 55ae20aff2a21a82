"""Which Python functions take the time: cProfile or pyinstrument, a file for each step."""

from __future__ import annotations

import cProfile
import pstats
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from sagehound.errors import InvalidInput
from sagehound.profile.config import PythonProfiling
from sagehound.profile.process_name import ProcessName
from sagehound.profile.trace_format import PYTHON_FOLDER


def off_cpu_time() -> float:
    """Seconds in which this thread did not run."""
    return time.perf_counter() - time.thread_time()


TIMERS: dict[str, Callable[[], float]] = {
    "total_time": time.perf_counter,
    "cpu_time": time.process_time,
    "off_cpu_time": off_cpu_time,
}


class PythonScope:
    """Writes `framework/pytorch/<profiler>/<pid>-<node>/<mode>-<step>-stepstart-<us>_<mode>-<step>-stepend-<us>/` with
    `python_stats` (for `pstats.Stats`), or `python_stats.json` and `python_stats.html` of pyinstrument; microseconds
    since the epoch. It sees the thread that trains. `mode` is asked for the mode of the step that has ended."""

    name = "python"
    hears_python = True

    def __init__(self, folder: Path, config: PythonProfiling, mode: Callable[[], str]) -> None:
        self._folder = folder / PYTHON_FOLDER / config.profiler / str(ProcessName.here())
        self._config, self._mode = config, mode
        self._count = 0
        self._began_us = 0
        self._profile: Any = None
        if config.profiler == "pyinstrument":
            _pyinstrument()

    def start(self, step: int) -> None:
        self._began_us = time.time_ns() // 1000
        if self._config.profiler == "pyinstrument":
            self._profile = _pyinstrument().Profiler()
            self._profile.start()
            return
        timers = list(TIMERS.values())
        timer = TIMERS.get(self._config.timer) or timers[self._count % len(timers)]
        self._count += 1
        self._profile = cProfile.Profile(timer)
        self._profile.enable()

    def next_step(self, step: int) -> None:
        self.stop(step)
        self.start(step)

    def stop(self, step: int) -> None:
        profile, self._profile = self._profile, None
        pyinstrument = self._config.profiler == "pyinstrument"
        (profile.stop if pyinstrument else profile.disable)()
        mode, ended_us = self._mode().lower(), time.time_ns() // 1000
        name = f"{mode}-{step - 1}-stepstart-{self._began_us}_{mode}-{step - 1}-stepend-{ended_us}"
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        if pyinstrument:
            renderer = _pyinstrument().renderers.JSONRenderer()
            (folder / "python_stats.json").write_text(profile.output(renderer))
            (folder / "python_stats.html").write_text(profile.output_html())
        else:
            pstats.Stats(profile).dump_stats(folder / "python_stats")


def _pyinstrument() -> Any:  # noqa: ANN401 - a module
    try:
        import_module("pyinstrument.renderers")
        return import_module("pyinstrument")
    except ImportError:
        raise InvalidInput(
            "PythonProfilingConfig: ProfilerName is pyinstrument, which is not installed: add it to requirements.txt, "
            "or write cprofile"
        ) from None
