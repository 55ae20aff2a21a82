"""Where what a job writes while it runs is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from sagehound.control.growing_folder import GrowingFolder
from sagehound.jobs import contract, sampling
from sagehound.names import S3Uri
from sagehound.objects.store import ObjectStore
from sagehound.records.training import TrainingJob

#: A minute's samples are written in that minute; a folder without news for so long gets none.
_REST_NS = 180 * 10**9


def tensors_place(job: TrainingJob) -> S3Uri:
    """Where the job's tensors are stored, as SageMaker's SDK expects them."""
    return S3Uri.parse(job.spec.tensors_uri) / f"{job.name}/debug-output"


def profile_place(job: TrainingJob) -> S3Uri:
    """And what the profiler wrote."""
    return S3Uri.parse(job.spec.profiler_uri) / f"{job.name}/profiler-output"


def growing_folders(
    job: TrainingJob, folder: Path, hosts: Sequence[str], objects: ObjectStore
) -> tuple[GrowingFolder, ...]:
    """What is kept in step with S3: the tensors first. `folder` is the job's own."""
    places = [
        GrowingFolder(
            objects,
            S3Uri.parse(uri) / f"{job.name}/{kind}",
            [contract.on_this_machine(path, folder / host) for host in hosts],
            folder,
        )
        for uri, path, kind in _of_the_debugger(job)
    ]
    return (*places, *profile_folders(job, folder, hosts, objects))


def profile_folders(
    job: TrainingJob, folder: Path, hosts: Sequence[str], objects: ObjectStore
) -> tuple[GrowingFolder, ...]:
    """The machine's samples, and what the script's side of the profiler wrote; none where nothing is profiled."""
    if not job.spec.profiler_uri:
        return ()
    samples = [folder / sampling.FOLDER / host for host in hosts]
    timelines = [contract.on_this_machine(job.spec.profiler_path, folder / host) for host in hosts]
    return (GrowingFolder(objects, profile_place(job), [*samples, *timelines], folder, rest_ns=_REST_NS),)


def _of_the_debugger(job: TrainingJob) -> Iterator[tuple[str, str, str]]:
    """The address, the path in the job, and the name in the address."""
    spec = job.spec
    if spec.tensors_uri:
        yield spec.tensors_uri, spec.tensors_path, "debug-output"
    if spec.tensorboard_uri:
        yield spec.tensorboard_uri, spec.tensorboard_path, "tensorboard-output"
