"""What a training job runs: the user's script, or the request's own entry point."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagehound.errors import InvalidInput, JobFailure
from sagehound.jobs.archives import unpack
from sagehound.jobs.arguments import command, decode, is_reserved, to_arguments
from sagehound.records.training import TrainingSpec

SOURCE_ARCHIVE = "sourcedir.tar.gz"
#: Channels through which SDK v3 sends scripts: its own command makes them executable and writes beside them.
CODE_CHANNELS = ("code", "sm_drivers")
_TORCHRUN = ("sagemaker_torch_distributed_enabled", "sagemaker_pytorch_ddp_enabled")
_REFUSED = (
    "sagemaker_mpi_enabled",
    "sagemaker_distributed_dataparallel_enabled",
    "sagemaker_parameter_server_enabled",
    "sagemaker_multi_worker_mirrored_strategy_enabled",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """`script` is relative to /opt/ml/code ("" where the request has its own entry point). `values` are the decoded
    hyperparameters that are the user's, `arguments` what they are on a command line, `reserved` the platform's."""

    script: str
    submit_directory: str
    values: dict[str, Any]
    arguments: list[str]
    reserved: dict[str, Any]


def program_of(spec: TrainingSpec) -> Program:
    """What `spec` runs; JobFailure, saying what to set, where it names no script and no entry point."""
    values = decode(spec.hyperparameters)
    reserved = {name: value for name, value in values.items() if is_reserved(name)}
    users = {name: value for name, value in values.items() if name not in reserved}
    script = reserved.get("sagemaker_program") or spec.environment.get("SAGEMAKER_PROGRAM", "")
    submit = reserved.get("sagemaker_submit_directory") or spec.environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    if spec.entrypoint:
        script = ""
    elif not script:
        raise JobFailure(_no_program(spec.image))
    arguments = to_arguments(users)
    _check_texts([str(script), *arguments, *spec.environment.values(), *spec.entrypoint, *spec.arguments])
    return Program(
        script=str(script),
        submit_directory=str(submit),
        values=users,
        arguments=arguments,
        reserved=reserved,
    )


def _check_texts(texts: list[str]) -> None:
    """JobFailure for what the kernel passes to no program: a NUL character, or half of a surrogate pair."""
    for text in texts:
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise JobFailure(
                f"ClientError: {text[:100]!r} holds a character that no program can be given (NUL, or half a surrogate "
                "pair); take it out of the hyperparameters, the environment or the arguments"
            )


def argv_of(spec: TrainingSpec, program: Program, hosts: list[str], host: str, gpus: int) -> tuple[str, ...]:
    """The command of one host; JobFailure for a way of distributing that is not offered."""
    if spec.entrypoint:
        return (*spec.entrypoint, *spec.arguments)
    refused = [name for name in _REFUSED if program.reserved.get(name)]
    if refused:
        kind = refused[0].removeprefix("sagemaker_").removesuffix("_enabled")
        raise JobFailure(
            f"distribution {kind} is not supported; use distribution={{'torch_distributed': ...}}, or none"
        )
    words = command(program.script, program.arguments)
    if not any(program.reserved.get(name) for name in _TORCHRUN):
        return words
    return _torchrun(words, hosts, host, max(1, gpus))


def install_code(program: Program, archive: Path | None, channels: dict[str, Path], folder: Path) -> None:
    """Put the user's code into `folder` (a host's /opt/ml/code), from sourcedir.tar.gz or from the channel `code`.

    JobFailure, with the names that are there, where the script is not among them.
    """
    shutil.rmtree(folder, ignore_errors=True)
    channel = channels.get("code")
    if archive is None and channel is not None and (channel / SOURCE_ARCHIVE).is_file():
        archive = channel / SOURCE_ARCHIVE
    if archive is not None:
        _unpack(archive, folder)
    elif channel is not None:
        shutil.copytree(channel, folder, symlinks=True)
    else:
        raise JobFailure(
            f"no code for {program.script}: set sagemaker_submit_directory to the S3 address of its archive"
        )
    script = folder / program.script
    if not script.resolve().is_relative_to(folder.resolve()) or not script.is_file():
        names = ", ".join(sorted(path.name for path in folder.iterdir())[:20]) or "nothing"
        raise JobFailure(f"the entry point {program.script!r} is not in the code; it holds: {names}")
    script.chmod(0o755)


def _unpack(archive: Path, folder: Path) -> None:
    try:
        unpack(archive, folder)
    except InvalidInput as problem:
        raise JobFailure(f"the code cannot be unpacked: {problem}") from None


def _torchrun(words: tuple[str, ...], hosts: list[str], host: str, processes: int) -> tuple[str, ...]:
    flags = f"torchrun --nnodes {len(hosts)} --nproc_per_node {processes}"
    if len(hosts) > 1:
        flags += f" --master_addr {hosts[0]} --master_port 7777 --node_rank {hosts.index(host)}"
    if words[0] == "python":
        return (*flags.split(), *words[1:])
    return (*words[:2], words[2].replace("python", flags, 1))


def _no_program(image: str) -> str:
    name = image.rsplit("/", 1)[-1].split(":", 1)[0] or "the training image"
    return (
        f"the job names no script, and the algorithm inside the image {name!r} is not run here (built-in algorithms "
        "and images of one's own are not supported): set entry_point (and source_dir) of a framework estimator, which "
        "sends sagemaker_program, or ContainerEntrypoint"
    )
