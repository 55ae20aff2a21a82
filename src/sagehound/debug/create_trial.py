"""Opening a trial by its path."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sagehound.debug.reading.saved_steps import Range
from sagehound.debug.store.open import open_source
from sagehound.debug.trial import Trial
from sagehound.errors import DebuggerTypeError, DebuggerValueError, MissingCollectionFiles, Unsupported

#: A place of which nothing tells that something will come is given so long: a training that was started just now has
#: to import torch first.
GRACE_S = 30.0
_LOOK_S = 1.0
_SAY_S = 10.0
_LOG = logging.getLogger("sagehound.debug")
#: Where the SDK's latest_job_debugger_artifacts_path() points to, below S3OutputPath and the job's name.
_OF_A_JOB = "debug-output"


def create_trial(
    path: str | Path,
    name: str | None = None,
    profiler: bool = False,
    output_dir: str = "/opt/ml/processing/outputs/",
    range_steps: Range | None = None,
    parallel: bool = True,
    check: bool = False,
    index_mode: bool = True,
    cache: bool = False,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Trial:
    """The trial whose tensors are in a folder or below an S3 URI, while they are saved or afterwards, also those that
    the original debugger saved.

    Waits, and says so, until the first of them is there. MissingCollectionFiles tells what to check where none will
    come: the job has ended, or nothing tells of a training for 30 s. With `range_steps` (first, end) only the global
    steps from the first up to, not with, the end are looked at; None is open. `name` is the path's last part, or
    the job's name, unless given. `output_dir`, `parallel`, `check`, `index_mode` and `cache` are there for the
    original's callers and change nothing.
    """
    if profiler:
        raise Unsupported("create_trial(profiler=True) reads the original profiler's data, which is not offered here")
    place = _checked(path)
    trial = Trial(
        open_source(place),
        name=name if name is not None else _name(place),
        path=place,
        sleep=sleep,
        range_steps=_checked_range(range_steps),
    )
    waited = 0.0
    while not trial.source.runs():
        _give_up_or_say(trial, waited)
        sleep(_LOOK_S)
        waited += _LOOK_S
        trial.refresh_data()
    return trial


def _checked(path: str | Path) -> str:
    if path is None or not str(path).strip():
        raise DebuggerValueError(
            f"create_trial was given {path!r} as the path of the tensors. Where it comes from "
            "latest_job_debugger_artifacts_path(), the estimator has no debugger_hook_config with an s3_output_path"
        )
    text = str(path).strip()
    if re.fullmatch("s3:/*", text):
        raise DebuggerValueError(f"{text!r} names no bucket; write s3://bucket/prefix")
    return text.rstrip("/") or "/" if text.startswith("s3://") else str(Path(text).expanduser())


def _name(place: str) -> str:
    """
    >>> _name("s3://bucket/dogs-1/debug-output"), _name("/tmp/run")
    ('dogs-1', 'run')
    """
    *before, last = place.split("/")
    of_a_job = place.startswith("s3://") and last == _OF_A_JOB
    return before[-1] if of_a_job else last


def _checked_range(steps: Range | None) -> Range | None:
    if steps is None:
        return None
    try:
        first, end = steps
    except (TypeError, ValueError):
        raise DebuggerTypeError(f"range_steps {steps!r} is not (first, end), each a step or None") from None
    if any(each is not None and (not isinstance(each, int) or each < 0) for each in (first, end)):
        raise DebuggerTypeError(f"range_steps {steps!r} must hold steps from 0 on, or None for an open end")
    if first is not None and end is not None and end <= first:
        raise DebuggerValueError(f"range_steps {steps!r} holds no step: the end must be greater than the first")
    return first, end


def _give_up_or_say(trial: Trial, waited: float) -> None:
    """Nothing is there after so many seconds: raise where nothing will come, else say now and then what is awaited."""
    state = _job_state(trial.path) if waited % _SAY_S == 0 else "unknown"
    if state in ("Completed", "Failed", "Stopped"):
        trial.refresh_data()  # what it uploaded last
        if trial.source.runs():
            return
        raise MissingCollectionFiles(
            f"there are no tensors at {trial.path}, and its job has ended as {state}. Check that the job's script "
            "registers a hook (or its request has collections, for which it is hooked by itself), that it trained "
            "for at least one save_interval, and what its log says of the debugger"
        )
    if waited >= GRACE_S and state == "unknown" and waited % _SAY_S == 0:
        raise MissingCollectionFiles(
            f"there are no tensors at {trial.path}, nor came any within {GRACE_S:.0f} s. Check the path: it is the "
            "out_dir of the hook, or what estimator.latest_job_debugger_artifacts_path() gives "
            f"(s3://.../<job>/{_OF_A_JOB}). If the training has yet to start, open the trial again then"
        )
    if waited % _SAY_S == 0:
        what = f"its job is {state}" if state != "unknown" else f"giving up after {GRACE_S:.0f} s"
        _LOG.warning("waiting for tensors at %s (%d s so far; %s)", trial.path, waited, what)


def _job_state(place: str) -> str:
    """The status of the job that writes to this place; "unknown" where it is none's or cannot be asked for."""
    parts = place.split("/")
    if not place.startswith("s3://") or len(parts) < 2 or parts[-1] != _OF_A_JOB:
        return "unknown"
    try:
        import boto3
        from botocore.config import Config

        impatient = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})
        with closing(boto3.client("sagemaker", config=impatient)) as client:
            described = client.describe_training_job(TrainingJobName=parts[-2])
    except Exception as error:  # noqa: BLE001 - no service, no such job, no region: all mean that nobody knows
        _LOG.debug("the job %s cannot be asked for: %s", parts[-2], error)
        return "unknown"
    return str(described["TrainingJobStatus"])
