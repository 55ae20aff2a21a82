"""The environment of a training job's process, made from nothing: what the caller's shell holds does not leak in."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sagehound.jobs.arguments import environment_text
from sagehound.jobs.configuration import MASTER_PORT, instance_groups
from sagehound.jobs.enclosure import MOUNT_POINT
from sagehound.jobs.program import Program
from sagehound.records.training import TrainingJob

#: What a job keeps of the service's own environment: who and where it runs, and how it reaches a package index.
_KEPT = re.compile(
    r"HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|PATH|LD_LIBRARY_PATH|PIP_\w+|UV_\w+|SSL_CERT_\w+"
    r"|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(?:https?|no|all|ftp)_proxy|(?:HTTPS?|NO|ALL|FTP)_PROXY|CUDA_HOME|CUDA_PATH"
    r"|NVIDIA_\w+|XDG_CACHE_HOME|TORCH_HOME|HF_\w+|HUGGINGFACE_\w+"
)
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
#: Tells the drop-in `sitecustomize` to hook a script that registers no hook of its own.
AUTO_HOOK = "SAGEHOUND_AUTO_HOOK"
#: Tells it to time the steps of a script.
AUTO_PROFILE = "SAGEHOUND_AUTO_PROFILE"
DROPIN = Path(__file__).parent.parent / "dropin"


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of the service's environment that a job may see."""
    return {name: value for name, value in environment.items() if _KEPT.fullmatch(name)}


def machine(python_folder: Path, path: str, cpus: int, gpus: tuple[int, ...]) -> dict[str, str]:
    """Variables about the machine: the interpreter's folder first on PATH, threads, devices, our own modules first."""
    return {
        "PATH": os.pathsep.join([str(python_folder / "bin"), str(Path(sys.executable).parent), path]),
        "PYTHONPATH": os.pathsep.join([str(DROPIN), f"{MOUNT_POINT}/code"]),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "UTF-8",
        "CUDA_VISIBLE_DEVICES": ",".join(map(str, gpus)),
        **dict.fromkeys(THREADS, str(max(1, cpus))),
    }


def platform(job: TrainingJob, region: str) -> dict[str, str]:
    """Variables that say which job this is."""
    return {
        "TRAINING_JOB_NAME": job.name,
        "TRAINING_JOB_ARN": job.arn,
        "SAGEMAKER_JOB_NAME": job.name,
        "SAGEMAKER_REGION": region,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        **({AUTO_HOOK: "1"} if job.spec.auto_hook else {}),
        **({AUTO_PROFILE: "1"} if job.spec.auto_profile else {}),
    }


def toolkit(
    job: TrainingJob, program: Program, host: str, hosts: list[str], configs: Mapping[str, Any], cpus: int, gpus: int
) -> dict[str, str]:
    """The `SM_*` variables: those of SageMaker's training toolkit, and those that SDK v3 adds."""
    channels = {channel.name: f"{MOUNT_POINT}/input/data/{channel.name}" for channel in job.spec.channels}
    values: dict[str, Any] = {
        **_places(program),
        **_cluster(job, host, hosts, configs["resourceconfig.json"]),
        **_script(program),
        **{f"channel_{name}": path for name, path in channels.items()},
        **{f"hp_{name}": value for name, value in program.values.items()},
        "channels": sorted(channels),
        "input_data_config": configs["inputdataconfig.json"],
        "num_cpus": cpus,
        "num_gpus": gpus,
        "num_neurons": 0,
    }
    values["training_env"] = _training_env(job, values, channels, program)
    return {f"SM_{name.upper()}": environment_text(value) for name, value in values.items()}


def _places(program: Program) -> dict[str, Any]:
    code = f"{MOUNT_POINT}/code" if program.script else f"{MOUNT_POINT}/input/data/code"
    return {
        "input_dir": f"{MOUNT_POINT}/input",
        "input_config_dir": f"{MOUNT_POINT}/input/config",
        "input_data_dir": f"{MOUNT_POINT}/input/data",
        "model_dir": f"{MOUNT_POINT}/model",
        "output_dir": f"{MOUNT_POINT}/output",
        "output_data_dir": f"{MOUNT_POINT}/output/data",
        "output_intermediate_dir": f"{MOUNT_POINT}/output/intermediate",
        "output_failure": f"{MOUNT_POINT}/output/failure",
        "source_dir": code,
    }


def _cluster(job: TrainingJob, host: str, hosts: list[str], resources: dict[str, Any]) -> dict[str, Any]:
    groups = instance_groups(job, hosts)
    group = groups[0]["instance_group_name"]
    return {
        "hosts": hosts,
        "host_count": len(hosts),
        "current_host": host,
        "current_host_rank": hosts.index(host),
        "current_instance_type": job.spec.instance_type,
        "current_instance_group": group,
        "current_instance_group_hosts": hosts,
        "instance_groups": [group],
        "instance_groups_dict": {group: groups[0]},
        "distribution_instance_groups": [],
        "is_hetero": False,
        "network_interface_name": resources["network_interface_name"],
        "master_addr": hosts[0],
        "master_port": MASTER_PORT,
        "resource_config": resources,
    }


def _script(program: Program) -> dict[str, Any]:
    framework = {name: value for name, value in program.reserved.items() if name not in _TOOLKIT_NAMES}
    return {
        "hps": program.values,
        "user_args": program.arguments,
        "user_entry_point": program.script,
        "entry_script": program.script,
        "module_name": program.script.removesuffix(".py"),
        "module_dir": program.submit_directory or f"{MOUNT_POINT}/code",
        "framework_module": "sagemaker_pytorch_container.training:main",
        "framework_params": framework,
        "log_level": program.reserved.get("sagemaker_container_log_level", 20),
    }


_TOOLKIT_NAMES = frozenset(
    [
        "sagemaker_program",
        "sagemaker_submit_directory",
        "sagemaker_enable_cloudwatch_metrics",
        "sagemaker_region",
        "sagemaker_container_log_level",
        "sagemaker_job_name",
        "default_user_module_name",
        "_tuning_objective_metric",
        "sagemaker_s3_output",
    ]
)


def _training_env(
    job: TrainingJob, values: dict[str, Any], channels: dict[str, str], program: Program
) -> dict[str, Any]:
    left_out = ("hps", "channels", "user_args", "framework_params", "output_failure")
    plain = {name: value for name, value in values.items() if name not in left_out and not name.startswith("hp_")}
    return {
        **{name: value for name, value in plain.items() if not name.startswith("channel_")},
        "additional_framework_parameters": values["framework_params"],
        "channel_input_dirs": channels,
        "hyperparameters": program.values,
        "is_master": values["current_host_rank"] == 0,
        "job_name": job.name,
        "master_hostname": values["master_addr"],
    }
