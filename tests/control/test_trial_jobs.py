"""The training job of a trial."""

import dataclasses

from sagehound.control.trial_jobs import trial_job
from tests.control.tuning_jobs import NOW, tuning_job


def test_everything_of_the_definition_is_in_the_trial():
    job = tuning_job()
    training = dataclasses.replace(
        job.spec.training, environment={"MODE": "quick"}, retries=3, checkpoint_uri="s3://bucket/ckpt"
    )
    definition = dataclasses.replace(
        job.spec.definitions[0],
        name="plain",
        training=training,
        training_document={"EnableManagedSpotTraining": True, "CheckpointConfig": {"S3Uri": "s3://bucket/ckpt"}},
    )
    trial = trial_job(job, definition, 12, {"lr": "0.1"}, NOW, 3)
    assert trial.name.startswith("dogs-012-")
    assert (trial.parent, trial.definition, trial.threads, trial.tuned) == ("dogs", "plain", 3, {"lr": "0.1"})
    assert (trial.spec.environment, trial.spec.retries) == ({"MODE": "quick"}, 3)
    assert trial.spec.hyperparameters["lr"] == "0.1"
    place = f"s3://bucket/ckpt/{trial.name}"
    assert trial.spec.checkpoint_uri == place
    assert trial.document == {"EnableManagedSpotTraining": True, "CheckpointConfig": {"S3Uri": place}}
    assert trial_job(job, job.spec.definitions[0], 1, {}, NOW, 1).spec.checkpoint_uri == ""
