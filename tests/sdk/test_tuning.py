"""Tuning jobs through the SageMaker SDK v2, with the seed's ranges."""

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from sagehound.cli.application import app
from tests.sdk.waiting import eventually


@pytest.fixture
def tuner(estimator, inputs):
    from sagemaker.tuner import CategoricalParameter, ContinuousParameter, HyperparameterTuner

    def make(name, **options):
        job = estimator("steps.py", base_job_name=name, hyperparameters={"test-batch-size": "100"})
        made = HyperparameterTuner(
            job,
            "average test loss",
            {
                "lr": ContinuousParameter(0.001, 0.1),
                "batch_size": CategoricalParameter([32, 64, 128]),
                "epochs": CategoricalParameter([1, 2]),
            },
            [{"Name": "average test loss", "Regex": r"Test set: Average loss: ([0-9\.]+)"}],
            **{"objective_type": "Minimize", "max_jobs": 4, "max_parallel_jobs": 2, "base_tuning_job_name": name}
            | options,
        )
        made.fit({"training": inputs}, wait=False)
        return made

    return make


def test_the_seeds_tuning(tuner, session, sm):
    from sagemaker.tuner import HyperparameterTuner

    tuning = tuner("seeds")
    tuning.wait()
    frame = tuning.analytics().dataframe()
    assert len(frame) == 4
    assert set(frame["TrainingJobStatus"]) == {"Completed"}
    best = frame.sort_values("FinalObjectiveValue").iloc[0]
    assert tuning.best_training_job() == best["TrainingJobName"]
    values = tuning.best_estimator().hyperparameters()
    assert values["_tuning_objective_metric"] == '"average test loss"'
    assert values["batch_size"] in ('"32"', '"64"', '"128"')
    assert values["epochs"] == '"2"' or best["FinalObjectiveValue"] < 0.3
    assert 0.001 <= float(values["lr"]) <= 0.1
    assert values["test-batch-size"] == '"100"'
    assert values["sagemaker_program"] == '"steps.py"'
    attached = HyperparameterTuner.attach(tuning.latest_tuning_job.name, sagemaker_session=session)
    assert attached.best_training_job() == tuning.best_training_job()
    counters = tuning.describe()["TrainingJobStatusCounters"]
    assert counters == {
        "Completed": 4,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": 0,
    }


def test_the_same_seed_gives_the_same_trials(tuner, sm):
    names = []
    for run in ("one", "two"):
        tuning = tuner(f"seeded-{run}", strategy="Random", random_seed=7, max_jobs=3)
        names.append(tuning.latest_tuning_job.name)
    tuned = []
    for name in names:
        eventually(lambda name=name: status(sm, name) == "Completed")
        tuned.append([trial["TunedHyperParameters"] for trial in trials(sm, name)])
    assert len(tuned[0]) == 3
    assert tuned[0] == tuned[1]


def status(sm, name):
    return sm.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)["HyperParameterTuningJobStatus"]


def trials(sm, name):
    return sm.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, SortBy="CreationTime", SortOrder="Ascending"
    )["TrainingJobSummaries"]


def test_failed_trials_are_counted_and_the_tuning_ends(estimator, sm):
    from sagemaker.tuner import ContinuousParameter, HyperparameterTuner

    tuning = HyperparameterTuner(
        estimator("fails.py"),
        "average test loss",
        {"lr": ContinuousParameter(0.001, 0.1)},
        [{"Name": "average test loss", "Regex": "x=(.*)"}],
        max_jobs=2,
        max_parallel_jobs=2,
        base_tuning_job_name="failing",
    )
    tuning.fit(wait=False)
    name = tuning.latest_tuning_job.name
    eventually(lambda: status(sm, name) in ("Completed", "Failed"))
    description = sm.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert description["TrainingJobStatusCounters"]["NonRetryableError"] == 2
    assert description.get("BestTrainingJob", {}).get("TrainingJobName") is None


def test_stop_ends_the_running_trials(estimator, sm):
    from sagemaker.tuner import ContinuousParameter, HyperparameterTuner

    tuning = HyperparameterTuner(
        estimator("waits.py"),
        "average test loss",
        {"lr": ContinuousParameter(0.001, 0.1)},
        [{"Name": "average test loss", "Regex": "loss: ([0-9.]+)"}],
        max_jobs=10,
        max_parallel_jobs=2,
        base_tuning_job_name="stopped",
    )
    tuning.fit(wait=False)
    name = tuning.latest_tuning_job.name
    eventually(lambda: len(trials(sm, name)) == 2)
    tuning.stop_tuning_job()
    eventually(lambda: status(sm, name) == "Stopped")
    assert {trial["TrainingJobStatus"] for trial in trials(sm, name)} == {"Stopped"}


def test_delete_takes_the_entry_alone(estimator, sm, home):
    from sagemaker.tuner import ContinuousParameter, HyperparameterTuner

    tuning = HyperparameterTuner(
        estimator("waits.py"),
        "average test loss",
        {"lr": ContinuousParameter(0.001, 0.1)},
        [{"Name": "average test loss", "Regex": "loss: ([0-9.]+)"}],
        max_jobs=2,
        max_parallel_jobs=2,
        base_tuning_job_name="deleted",
        tags=[{"Key": "team", "Value": "photos"}],
    )
    tuning.fit(wait=False)
    name = tuning.latest_tuning_job.name
    eventually(lambda: len(trials(sm, name)) == 2)
    own = [trial["TrainingJobName"] for trial in trials(sm, name)]
    arn = tuning.describe()["HyperParameterTuningJobArn"]
    with pytest.raises(ClientError, match=r"ValidationException.*InProgress.*stop it with"):
        sm.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    tuning.stop_tuning_job()
    eventually(lambda: status(sm, name) == "Stopped")
    sm.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    with pytest.raises(sm.exceptions.ResourceNotFound):
        sm.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    with pytest.raises(ClientError):
        sm.list_tags(ResourceArn=arn)
    listed = sm.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    assert sorted(job["TrainingJobName"] for job in listed) == sorted(own)
    assert sm.describe_training_job(TrainingJobName=own[0])["TuningJobArn"] == arn
    with pytest.raises(ClientError, match=r"ResourceInUse.*Choose a different name"):
        tuning.fit(wait=False, job_name=name)

    for words, shown in ((["jobs"], own[0]), (["jobs", own[0]], own[0]), (["logs", own[0]], "sagehound: ")):
        result = CliRunner().invoke(app, [*words, "--home", str(home)])
        assert (result.exit_code, shown in result.stdout) == (0, True), result.output
    for command in ("jobs", "report", "logs"):
        result = CliRunner().invoke(app, [command, name, "--home", str(home)])
        assert result.exit_code != 0
        assert name in str(result.exception) + result.stderr
