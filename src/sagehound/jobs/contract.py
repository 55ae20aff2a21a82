"""From a training job's record and its staged data to a launch: the container contract, all of it but the process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from sagehound.errors import JobFailure
from sagehound.jobs import allocator, sampling, variables
from sagehound.jobs.configuration import configuration, write_configuration
from sagehound.jobs.enclosure import MOUNT_POINT
from sagehound.jobs.environments import python_folder
from sagehound.jobs.launcher import Bind, Host, Launch
from sagehound.jobs.program import CODE_CHANNELS, Program, argv_of, install_code, program_of
from sagehound.records.training import TrainingJob

_FOLDERS = ("input/config", "input/data", "model", "output/data", "output/intermediate", "checkpoints")


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """What the control loop made ready for a job.

    `folder` is the job's own. `hosts_channels` has, for each host (`host_names`), the folder of each channel on this
    machine. `code` is the downloaded sourcedir.tar.gz, None where the job names none. `cpus` are the threads of each
    host, `gpus` the device numbers that the hosts divide (`gpu_share`). `notes` open the log. `environment` is the
    client environment: addresses, keys, region. `environments_folder` keeps what a requirements.txt installed.
    """

    folder: Path
    hosts_channels: dict[str, dict[str, Path]]
    code: Path | None = None
    cpus: int = 1
    gpus: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    environments_folder: Path = field(default_factory=lambda: Path.home() / ".sagehound" / "environments")
    fast_malloc: bool = True
    region: str = "us-east-1"


def host_names(count: int) -> list[str]:
    """algo-1, algo-2, ..."""
    return [f"algo-{number}" for number in range(1, count + 1)]


def gpu_share(gpus: tuple[int, ...], number: int, hosts: int) -> tuple[int, ...]:
    """The devices of host `number` (0 is the first) of `hosts`: as many for each; fewer than hosts are shared.

    >>> gpu_share((0, 1, 2, 3), 1, 2), gpu_share((0, 1), 2, 3), gpu_share((), 0, 2)
    ((2, 3), (0,), ())
    """
    each = len(gpus) // hosts
    if each:
        return gpus[number * each : (number + 1) * each]
    return gpus[number % len(gpus) :][:1] if gpus else ()


def launch(job: TrainingJob, staged: Staged, service: Mapping[str, str] = os.environ) -> Launch:
    """Write every host's files and say what is to run. JobFailure, worded for the job's owner, where it cannot run.

    Makes each host's folder `<job folder>/<host>`; may be called again for a job that was not started. `service` is
    the environment of the service, of which a job sees only what `variables.inherited` lets through.
    """
    program = program_of(job.spec)
    hosts = host_names(job.spec.instance_count)
    malloc = allocator.variables() if staged.fast_malloc else {}
    staged.folder.mkdir(parents=True, exist_ok=True)
    sampling.tell(str(staged.folder), job.spec.profiler_interval_ms)
    return Launch(
        job=job.name,
        folder=staged.folder,
        hosts=tuple(
            _host(job, staged, program, host, hosts, {**variables.inherited(service), **malloc}) for host in hosts
        ),
        max_runtime_s=job.spec.max_runtime_s,
        metrics=job.spec.metrics,
        notes=(*staged.notes, *((allocator.NOTE,) if malloc else ())),
        environments_folder=staged.environments_folder,
        compress=job.spec.compress_output,
    )


def checkpoint_folder(job: TrainingJob, host_folder: Path) -> Path:
    """Where a host's checkpoints are on this machine; JobFailure where the job wants them outside /opt/ml."""
    path = PurePosixPath(job.spec.checkpoint_path)
    if not path.is_relative_to(MOUNT_POINT) or ".." in path.parts or path == PurePosixPath(MOUNT_POINT):
        raise JobFailure(
            f"the checkpoint path {path} is not supported; choose one in {MOUNT_POINT}, e.g. /opt/ml/checkpoints"
        )
    return on_this_machine(str(path), host_folder)


def on_this_machine(path: str, host_folder: Path) -> Path:
    """Where a host's `path`, which is in /opt/ml, is on this machine."""
    return host_folder / PurePosixPath(path).relative_to(MOUNT_POINT)


def _host(
    job: TrainingJob, staged: Staged, program: Program, host: str, hosts: list[str], base: dict[str, str]
) -> Host:
    folder = staged.folder / host
    channels = staged.hosts_channels.get(host, {})
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    if not program.script:
        (folder / "code").mkdir(exist_ok=True)
    checkpoint_folder(job, folder).mkdir(parents=True, exist_ok=True)
    configs = configuration(job, host, hosts)
    write_configuration(folder / "input" / "config", configs)
    if program.script:
        install_code(program, staged.code, channels, folder / "code")
    requirements = folder / "code" / "requirements.txt"
    cpus, devices = max(1, staged.cpus), gpu_share(staged.gpus, hosts.index(host), len(hosts))
    gpus = len(devices)
    path = base.get("PATH", os.defpath)
    machine = variables.machine(python_folder(staged.folder, host), path, cpus, devices)
    return Host(
        name=host,
        folder=folder,
        environment={
            **base,
            **machine,
            **staged.environment,
            **variables.platform(job, staged.region),
            **_own(job.spec.environment, machine),
            **variables.toolkit(job, program, host, hosts, configs, cpus, gpus),
        },
        argv=argv_of(job.spec, program, hosts, host, gpus),
        binds=_binds(job, channels, folder),
        requirements=requirements if program.script and requirements.is_file() else None,
    )


def _own(environment: dict[str, str], machine: dict[str, str]) -> dict[str, str]:
    """The request's variables. Its PATH and PYTHONPATH come after the machine's: the interpreter is this machine's."""
    paths = [name for name in ("PATH", "PYTHONPATH") if name in environment]
    return environment | {name: f"{machine[name]}{os.pathsep}{environment[name]}" for name in paths}


def _binds(job: TrainingJob, channels: dict[str, Path], folder: Path) -> tuple[Bind, ...]:
    binds = []
    for name, source in channels.items():
        target = folder / "input" / "data" / name
        if job.spec.entrypoint and name in CODE_CHANNELS:
            # Small, and the job's own command changes them: `chmod +x .../sm_train.sh`.
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target)
        else:
            target.mkdir(parents=True, exist_ok=True)
            binds.append(Bind(source=source, target=f"input/data/{name}"))
    return tuple(binds)
