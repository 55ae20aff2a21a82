"""The files in /opt/ml/input/config."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from sagehound.records.training import Channel, TrainingJob

MASTER_PORT = 7777
_GROUP = "homogeneousCluster"
#: Hosts of a job are processes of this machine, and meet on its loopback interface.
_INTERFACE = "lo" if sys.platform == "linux" else "lo0"


def instance_groups(job: TrainingJob, hosts: list[str]) -> list[dict[str, Any]]:
    """The one group that a cluster of equal instances is."""
    return [{"instance_group_name": _GROUP, "instance_type": job.spec.instance_type, "hosts": hosts}]


def configuration(job: TrainingJob, host: str, hosts: list[str]) -> dict[str, Any]:
    """The files' contents by name. Hyperparameters are given as they were sent."""
    files: dict[str, Any] = {
        "hyperparameters.json": job.spec.hyperparameters,
        "resourceconfig.json": {
            "current_host": host,
            "current_instance_type": job.spec.instance_type,
            "current_group_name": _GROUP,
            "hosts": hosts,
            "instance_groups": instance_groups(job, hosts),
            "network_interface_name": _INTERFACE,
        },
        "inputdataconfig.json": {channel.name: _channel(channel) for channel in job.spec.channels},
    }
    optional = {
        "debughookconfig.json": job.spec.debug_hook,
        "tensorboardoutputconfig.json": job.spec.tensorboard,
        "profilerconfig.json": job.spec.profiler,
    }
    return files | {name: body for name, body in optional.items() if body}


def write_configuration(folder: Path, files: dict[str, Any]) -> None:
    """Write the files into `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in files.items():
        (folder / name).write_text(json.dumps(body))


def write_profiler(folder: Path, job: TrainingJob) -> None:
    """Replace the profiler's file by what the job's record says now, where that is something else."""
    path, body = folder / "profilerconfig.json", json.dumps(job.spec.profiler)
    if not job.spec.profiler or (path.exists() and path.read_text() == body):
        return
    draft = path.with_suffix(".draft")
    draft.write_text(body)
    draft.replace(path)


def _channel(channel: Channel) -> dict[str, str]:
    entry = {
        "TrainingInputMode": channel.mode,
        "S3DistributionType": channel.distribution,
        "RecordWrapperType": channel.record_wrapper,
    }
    return entry | ({"ContentType": channel.content_type} if channel.content_type else {})
