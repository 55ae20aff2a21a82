"""What a request asks of the profiler in the training's process."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagehound.errors import InvalidInput
from sagehound.profile.almost_json import read_object
from sagehound.profile.window import Window

CONFIG_FILE = "/opt/ml/input/config/profilerconfig.json"
CONFIG_VARIABLE = "SMPROFILER_CONFIG_PATH"
OUT_DIR = "/opt/ml/output/profiler"
_PROFILERS = ("cprofile", "pyinstrument")
_TIMERS = ("total_time", "cpu_time", "off_cpu_time", "default")
#: What has no counterpart here: accepted, and said.
_IGNORED = ("HorovodProfilingConfig", "SMDataParallelProfilingConfig")


@dataclass(frozen=True)
class PythonProfiling:
    """`profiler` is "cprofile" or "pyinstrument"; `timer` is what cProfile counts: "total_time", "cpu_time",
    "off_cpu_time", or "default": each of the three in turn, a step each."""

    window: Window
    profiler: str = "cprofile"
    timer: str = "total_time"


@dataclass(frozen=True)
class DataloaderProfiling:
    """Which parts of loading are looked at: those whose names match."""

    window: Window
    metrics_regex: str = ".*"


@dataclass(frozen=True)
class TrainingProfile:
    """`memory`, `stacks` and `shapes` are for the detailed window, as torch.profiler has them. `ignored` names what was
    asked for and has no effect here."""

    out_dir: str = OUT_DIR
    enabled: bool = True
    max_bytes: int = 10 * 2**20
    close_s: float = 60.0
    detailed: Window | None = None
    memory: bool = False
    stacks: bool = True
    shapes: bool = False
    dataloader: DataloaderProfiling | None = None
    python: PythonProfiling | None = None
    ignored: tuple[str, ...] = ()

    @classmethod
    def from_json_file(cls, path: str | None = None) -> TrainingProfile:
        """The file of that path; else that of $SMPROFILER_CONFIG_PATH; else the job's. InvalidInput where it cannot be
        read; one that is not there asks for the defaults."""
        file = config_file(path)
        try:
            document = json.loads(file.read_bytes())
        except FileNotFoundError:
            if path is None:
                return cls()
            raise InvalidInput(f"{file} is not there: give the path of a profilerconfig.json, or none") from None
        except (OSError, ValueError) as error:
            raise InvalidInput(f"{file} is no JSON file that can be read: {error}") from error
        return cls.from_document(document)

    @classmethod
    def from_document(cls, document: object) -> TrainingProfile:
        """A ProfilerConfig as the API has it, or its ProfilingParameters alone; keys in any case, values also as text.

        >>> TrainingProfile.from_document({"ProfilingParameters": {"DetailedProfilingConfig": '{"NumSteps": 2, }'}})
        ... # doctest: +ELLIPSIS
        TrainingProfile(out_dir='/opt/ml/output/profiler', ... detailed=Window(start_step=None, steps=2, ...
        """
        fields = read_object("ProfilerConfig", document)
        given = fields.get("profilingparameters")
        parameters = fields if given is None else read_object("ProfilingParameters", given)
        disabled = _flag("DisableProfiler", fields.get("disableprofiler"), False)
        return cls(
            out_dir=str(parameters.get("localpath") or OUT_DIR),
            enabled=not disabled and _flag("ProfilerEnabled", parameters.get("profilerenabled"), True),
            max_bytes=int(_positive("RotateMaxFileSizeInBytes", parameters, 10 * 2**20)),
            close_s=_positive("RotateFileCloseIntervalInSeconds", parameters, 60.0),
            dataloader=_dataloader(parameters),
            python=_python(parameters),
            ignored=tuple(name for name in _IGNORED if parameters.get(name.lower())),
            **_detailed(parameters),
        )


def config_file(path: str | None = None) -> Path:
    """Where the request is: at `path`; else where $SMPROFILER_CONFIG_PATH says; else at the job's place."""
    return Path(path or os.environ.get(CONFIG_VARIABLE) or CONFIG_FILE)


def _detailed(parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = "DetailedProfilingConfig"
    fields = read_object(name, parameters.get(name.lower()) or {})
    window = Window.from_fields(name, fields)
    return {
        "detailed": window,
        "memory": _flag(f"{name}: ProfileMemory", fields.get("profilememory"), False),
        "stacks": _flag(f"{name}: WithStack", fields.get("withstack"), True),
        "shapes": _flag(f"{name}: RecordShapes", fields.get("recordshapes"), False),
    }


def _dataloader(parameters: Mapping[str, Any]) -> DataloaderProfiling | None:
    name = "DataloaderProfilingConfig"
    fields = read_object(name, parameters.get(name.lower()) or {})
    window = Window.from_fields(name, fields)
    regex = str(fields.get("metricsregex") or ".*")
    try:
        re.compile(regex)
    except re.error as error:
        raise InvalidInput(f"{name}: MetricsRegex is {regex!r}, which is no regular expression: {error}") from error
    return DataloaderProfiling(window, regex) if window else None


def _python(parameters: Mapping[str, Any]) -> PythonProfiling | None:
    name = "PythonProfilingConfig"
    fields = read_object(name, parameters.get(name.lower()) or {})
    window = Window.from_fields(name, fields)
    profiler = _one_of(f"{name}: ProfilerName", fields.get("profilername") or "cprofile", _PROFILERS)
    timer = _one_of(f"{name}: cProfileTimer", fields.get("cprofiletimer") or "total_time", _TIMERS)
    return PythonProfiling(window, profiler, timer) if window else None


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> str:
    text = str(value).lower()
    if text not in allowed:
        raise InvalidInput(f"{name} is {value!r}: one of {', '.join(allowed)} is expected")
    return text


def _flag(name: str, value: object, default: bool) -> bool:
    if value is None or value == "":
        return default
    text = str(value).lower()
    if text not in ("true", "false", "1", "0"):
        raise InvalidInput(f"{name} is {value!r}: true or false is expected")
    return text in ("true", "1")


def _positive(field: str, parameters: Mapping[str, Any], default: float) -> float:
    value = parameters.get(field.lower())
    if value is None or value == "":
        return default
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number < 1e15:
        raise InvalidInput(f"{field} is {value!r}: a number greater than 0 is expected")
    return number
