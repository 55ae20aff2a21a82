"""The training job of a trial."""

from __future__ import annotations

from dataclasses import replace

from sagehound.names import Arn, S3Uri, trial_name
from sagehound.records.record import Document
from sagehound.records.training import SecondaryStatus, TrainingJob, TrainingSpec
from sagehound.records.tuning import Definition, TuningJob
from sagehound.tuning.space import Values

#: The hyperparameter that tells a trial, and the SDK, what is sought.
OBJECTIVE_KEY = "_tuning_objective_metric"


def trial_job(
    job: TuningJob, definition: Definition, number: int, values: Values, now: float, threads: int
) -> TrainingJob:
    """The number-th trial of `job`: everything of its definition, with `values` beside the static hyperparameters.
    Its checkpoints go under its own name, as no trial may go on from another one's."""
    name, arn = trial_name(job.name, number), Arn.parse(job.arn)
    spec = definition.training
    trial = TrainingJob(
        name=name,
        created_at=now,
        modified_at=now,
        arn=str(replace(arn, resource=TrainingJob.kind, name=name)),
        spec=replace(
            spec,
            hyperparameters={OBJECTIVE_KEY: definition.metric, **spec.hyperparameters, **values},
            checkpoint_uri=_own_checkpoints(spec, name),
        ),
        document=_document(definition, name),
        parent=job.name,
        tuned=values,
        threads=threads,
        definition=definition.name,
    )
    return trial.enter(SecondaryStatus.PENDING, now, "Waiting for a free slot")


def _own_checkpoints(spec: TrainingSpec, name: str) -> str:
    return str(S3Uri.parse(spec.checkpoint_uri) / name) if spec.checkpoint_uri else ""


def _document(definition: Definition, name: str) -> Document:
    document = definition.training_document
    if not definition.training.checkpoint_uri:
        return document
    place = _own_checkpoints(definition.training, name)
    return {**document, "CheckpointConfig": {**document["CheckpointConfig"], "S3Uri": place}}
