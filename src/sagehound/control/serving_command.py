"""How the workers of a deployment are started: their command lines, environments and folders."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sagehound.control.deployment import Deployment, Placed
from sagehound.control.serving_process import Command
from sagehound.errors import JobFailure
from sagehound.jobs import allocator, variables
from sagehound.jobs.cores import usable_cores

#: What a worker has to answer a request in: SageMaker's own limit.
ANSWER_TIMEOUT_S = 60.0
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every worker gets: the environment below its model's own, and the cores that all workers share."""

    environment: Mapping[str, str]
    cores: int


def surroundings(
    inherited: Mapping[str, str], client_environment: Mapping[str, str], fast_malloc: bool = True
) -> Surroundings:
    """What workers get on this machine: the service's own environment without what speaks of the caller's jobs, keys
    and Python; the way back to the service; the allocator's settings."""
    malloc = allocator.variables() if fast_malloc else {}
    environment = {**variables.inherited(inherited), **malloc, **client_environment}
    return Surroundings(environment=environment, cores=usable_cores())


def commands(folder: Path, deployment: Deployment, surroundings: Surroundings) -> list[Command]:
    """One command a worker of the deployment in the endpoint's `folder`; its enclosure's file is written here."""
    seats = [(placed, number) for placed in deployment.variants for number in range(1, _workers(placed) + 1)]
    threads = max(1, surroundings.cores // len(seats))
    return [_command(folder, deployment, placed, number, surroundings, threads) for placed, number in seats]


def _workers(placed: Placed) -> int:
    return placed.variant.instances * _number(placed, "SAGEMAKER_MODEL_SERVER_WORKERS", 1)


def _number(placed: Placed, name: str, default: int) -> int:
    text = placed.environment.get(name, "") or str(default)
    if not text.isdigit() or int(text) < 1:
        raise JobFailure(f"{name} of variant {placed.variant.name} is {text!r}; give a whole number from 1")
    return int(text)


def _command(
    folder: Path, deployment: Deployment, placed: Placed, number: int, surroundings: Surroundings, threads: int
) -> Command:
    variant = placed.variant.name
    place = folder / str(deployment.number) / variant
    own = place / str(number)
    own.mkdir(parents=True, exist_ok=True)
    spec = place / f"{number}.json"
    spec.write_text(json.dumps({"folder": str(own), "binds": _binds(place)}))
    failure = place / f"{number}.failure"
    python = placed.interpreter or sys.executable
    inner = (python, "-m", "sagehound.serve.worker", "--model-dir", "/opt/ml/model", "--failure", str(failure))
    return Command(
        variant=variant,
        argv=(sys.executable, "-m", "sagehound.jobs.enclosure", str(spec), "--", *inner, "--parent", str(os.getpid())),
        environment=_environment(placed, surroundings, threads),
        folder=own,
        failure=failure,
        log=folder / f"{variant}-{number}.log",
        startup_timeout_s=placed.variant.startup_timeout_s,
        answer_timeout_s=min(ANSWER_TIMEOUT_S, _number(placed, "SAGEMAKER_MODEL_SERVER_TIMEOUT", 60)),
    )


def _binds(place: Path) -> list[dict[str, str]]:
    return [{"source": str(place / name), "target": name} for name in ("model", "code") if (place / name).is_dir()]


def _environment(placed: Placed, surroundings: Surroundings, threads: int) -> dict[str, str]:
    paths = [str(variables.DROPIN), *filter(None, [placed.environment.get("PYTHONPATH")])]
    return {
        **surroundings.environment,
        **dict.fromkeys(_THREADS, str(threads)),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "UTF-8",
        **placed.environment,
        "PYTHONPATH": os.pathsep.join(paths),
    }
