"""What the tuner of SDK v2 can ask for beyond a plain search, against a service that runs."""

import json

import boto3
import pytest

from tests.sdk.waiting import eventually

LOSS = [{"Name": "loss", "Regex": r"loss: ([0-9.]+)"}]


@pytest.fixture
def tuner(estimator):
    from sagemaker.tuner import ContinuousParameter, HyperparameterTuner

    def make(name, hyperparameters=None, ranges=None, estimator_options=None, **options):
        job = estimator(
            "curve.py", hyperparameters=hyperparameters or {"epochs": 2, "pause": 0}, **estimator_options or {}
        )
        return HyperparameterTuner(
            job,
            "loss",
            ranges or {"lr": ContinuousParameter(0.001, 0.1)},
            LOSS,
            **{
                "objective_type": "Minimize",
                "max_jobs": 3,
                "max_parallel_jobs": 2,
                "base_tuning_job_name": name,
                "random_seed": 1,
            }
            | options,
        )

    return make


def described(sm, name):
    return sm.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def trials(sm, name):
    pages = sm.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    found = pages.paginate(HyperParameterTuningJobName=name, SortBy="CreationTime", SortOrder="Ascending")
    return [trial for page in found for trial in page["TrainingJobSummaries"]]


def status(sm, name):
    return described(sm, name)["HyperParameterTuningJobStatus"]


def log(job):
    logs = boto3.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)
    return [event["message"] for event in events["events"]]


def test_hyperband_stops_poor_trials_and_those_that_had_everything(tuner, sm, session):
    from sagemaker.tuner import HyperbandStrategyConfig, HyperparameterTuner, StrategyConfig

    resources = StrategyConfig(hyperband_strategy_config=HyperbandStrategyConfig(max_resource=4, min_resource=1))
    tuning = tuner(
        "band",
        {"epochs": 1000, "pause": 0.15, "save-from": 4},
        strategy="Hyperband",
        strategy_config=resources,
        max_jobs=8,
        max_parallel_jobs=1,
    )
    tuning.fit()
    name = tuning.latest_tuning_job.name
    found = trials(sm, name)
    assert len(found) == 8
    assert {trial["TrainingJobStatus"] for trial in found} == {"Stopped"}
    assert {trial["ObjectiveStatus"] for trial in found} == {"Succeeded"}
    messages = [stop_message(sm, trial) for trial in found]
    full = [trial["TrainingJobName"] for trial, said in zip(found, messages, strict=True) if "MaxResource" in said]
    assert 1 <= len(full) < 8
    assert all("MaxResource" in said or "best" in said for said in messages)
    best = described(sm, name)["BestTrainingJob"]
    assert best["TrainingJobName"] in full
    assert tuning.best_training_job() == best["TrainingJobName"]
    assert tuning.best_estimator().model_data.endswith("model.tar.gz")
    config = described(sm, name)["HyperParameterTuningJobConfig"]["StrategyConfig"]
    assert config == {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 4}}
    assert HyperparameterTuner.attach(name, sagemaker_session=session).strategy == "Hyperband"


def stop_message(sm, trial):
    job = sm.describe_training_job(TrainingJobName=trial["TrainingJobName"])
    return job["SecondaryStatusTransitions"][-1]["StatusMessage"]


def test_early_stopping_ends_a_trial_that_is_worse_than_the_median(tuner, sm):
    from sagemaker.tuner import CategoricalParameter

    tuning = tuner(
        "early",
        {"pause": 0.3, "epochs": 6},
        {"lr": CategoricalParameter([0.5, 0.4, 0.3, 0.2, 0.1, 9.0])},
        strategy="Grid",
        max_jobs=6,
        max_parallel_jobs=1,
        early_stopping_type="Auto",
        random_seed=None,
    )
    tuning.fit()
    found = trials(sm, tuning.latest_tuning_job.name)
    assert [trial["TrainingJobStatus"] for trial in found] == ["Completed"] * 5 + ["Stopped"]
    assert "median" in stop_message(sm, found[-1])
    assert found[-1]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] > 9
    assert tuning.best_training_job() == found[4]["TrainingJobName"]


def test_a_search_ends_when_its_target_is_reached(tuner, sm):
    from sagemaker.tuner import TuningJobCompletionCriteriaConfig

    criteria = TuningJobCompletionCriteriaConfig(target_objective_metric_value=1000.0)
    tuning = tuner("target", max_jobs=20, max_parallel_jobs=1, completion_criteria_config=criteria)
    tuning.fit()
    found = described(sm, tuning.latest_tuning_job.name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert found["TrainingJobStatusCounters"]["Completed"] == 1


def test_a_search_ends_that_does_not_improve(tuner, sm):
    from sagemaker.tuner import CategoricalParameter, TuningJobCompletionCriteriaConfig

    criteria = TuningJobCompletionCriteriaConfig(max_number_of_training_jobs_not_improving=3)
    tuning = tuner(
        "still",
        ranges={"lr": CategoricalParameter([0.5, 0.501, 0.502, 0.503, 0.504, 0.505, 0.506])},
        strategy="Grid",
        max_jobs=7,
        max_parallel_jobs=1,
        random_seed=None,
        completion_criteria_config=criteria,
    )
    tuning.fit()
    found = described(sm, tuning.latest_tuning_job.name)
    assert found["TrainingJobStatusCounters"]["Completed"] == 4
    assert found["TuningJobCompletionDetails"] == {"NumberOfTrainingJobsObjectiveNotImproving": 3}


def test_what_the_estimator_was_given_reaches_every_trial(tuner, sm, session):
    bucket = session.default_bucket()
    tuning = tuner(
        "whole",
        max_jobs=2,
        tags=[{"Key": "team", "Value": "pets"}],
        estimator_options={
            "environment": {"MODE": "quick"},
            "checkpoint_s3_uri": f"s3://{bucket}/ckpt",
            "use_spot_instances": True,
            "max_run": 600,
            "max_wait": 900,
            "max_retry_attempts": 2,
            "tags": [{"Key": "owner", "Value": "me"}],
        },
    )
    tuning.fit()
    for trial in trials(sm, tuning.latest_tuning_job.name):
        name = trial["TrainingJobName"]
        job = sm.describe_training_job(TrainingJobName=name)
        assert job["Environment"] == {"MODE": "quick"}
        assert job["EnableManagedSpotTraining"] is True
        assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 900}
        assert job["RetryStrategy"] == {"MaximumRetryAttempts": 2}
        assert job["CheckpointConfig"]["S3Uri"] == f"s3://{bucket}/ckpt/{name}"
        tags = {tag["Key"]: tag["Value"] for tag in sm.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]}
        assert tags == {"team": "pets", "owner": "me"}
        assert "mode quick checkpoints []" in log(name)
        stored = boto3.client("s3").get_object(Bucket=bucket, Key=f"ckpt/{name}/last.txt")["Body"].read()
        assert float(stored) == float(trial["TunedHyperParameters"]["lr"])


def test_several_definitions_take_turns(estimator, sm, session):
    from sagemaker.tuner import CategoricalParameter, ContinuousParameter, HyperparameterTuner

    names = ("plain", "wide")
    tuning = HyperparameterTuner.create(
        base_tuning_job_name="several",
        estimator_dict={name: estimator("curve.py", hyperparameters={"epochs": 1, "pause": 0}) for name in names},
        objective_metric_name_dict={"plain": "loss", "wide": "last"},
        hyperparameter_ranges_dict={
            "plain": {"lr": ContinuousParameter(0.001, 0.1)},
            "wide": {"lr": CategoricalParameter([5, 6])},
        },
        metric_definitions_dict={"plain": LOSS, "wide": [{"Name": "last", "Regex": r"loss: ([0-9.]+)"}]},
        objective_type="Minimize",
        max_jobs=5,
        max_parallel_jobs=2,
        random_seed=3,
    )
    tuning.fit(include_cls_metadata={})
    name = tuning.latest_tuning_job.name
    found = trials(sm, name)
    assert sorted(trial["TrainingJobDefinitionName"] for trial in found) == ["plain"] * 3 + ["wide"] * 2
    metrics = {t["TrainingJobDefinitionName"]: t["FinalHyperParameterTuningJobObjectiveMetric"] for t in found}
    assert {of: metric["MetricName"] for of, metric in metrics.items()} == {"plain": "loss", "wide": "last"}
    assert described(sm, name)["BestTrainingJob"]["TrainingJobDefinitionName"] == "plain"
    frame = tuning.analytics().dataframe()
    assert sorted(frame["TrainingJobDefinitionName"]) == ["plain"] * 3 + ["wide"] * 2
    assert set(tuning.analytics().tuning_ranges) == set(names)
    attached = HyperparameterTuner.attach(name, sagemaker_session=session)
    assert set(attached.estimator_dict) == set(names)
    assert attached.best_training_job() == tuning.best_training_job()
    assert tuning.best_estimator().hyperparameters()["_tuning_objective_metric"] == '"loss"'


def test_autotune_finds_its_ranges(tuner, sm):
    tuning = tuner(
        "auto", {"epochs": 1, "pause": "0", "lr": 0.01}, {}, autotune=True, hyperparameters_to_keep_static=["pause"]
    )
    tuning._hyperparameter_ranges = None
    tuning.fit()
    name = tuning.latest_tuning_job.name
    assert all(0.001 <= float(trial["TunedHyperParameters"]["lr"]) <= 0.1 for trial in trials(sm, name))
    assert described(sm, name)["Autotune"] == {"Mode": "Enabled"}
    assert tuning.best_training_job()


def test_a_warm_start_learns_from_its_parents_and_names_the_best_of_all(tuner, sm, session):
    from sagemaker.tuner import (
        HyperparameterTuner,
        WarmStartConfig,
        WarmStartTypes,
        create_identical_dataset_and_algorithm_tuner,
        create_transfer_learning_tuner,
    )

    first = tuner("first", strategy="Random")
    first.fit()
    second = first.identical_dataset_and_algorithm_tuner()
    second.fit(job_name="second-of-all")
    parent, child = first.latest_tuning_job.name, second.latest_tuning_job.name
    found = described(sm, child)
    assert found["WarmStartConfig"] == {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": parent}],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }
    summaries = [*trials(sm, parent), *trials(sm, child)]
    best = min(summaries, key=lambda trial: trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])
    assert found["OverallBestTrainingJob"]["TrainingJobName"] == best["TrainingJobName"]
    assert found["OverallBestTrainingJob"]["TuningJobName"] == best["TuningJobName"]

    third = create_transfer_learning_tuner(parent=child, additional_parents={parent}, sagemaker_session=session)
    third.fit(job_name="third-of-all")
    assert "OverallBestTrainingJob" not in described(sm, third.latest_tuning_job.name)
    again = create_identical_dataset_and_algorithm_tuner(parent=parent, sagemaker_session=session)
    assert again.warm_start_config.type is WarmStartTypes.IDENTICAL_DATA_AND_ALGORITHM
    given = tuner("given", warm_start_config=WarmStartConfig(WarmStartTypes.TRANSFER_LEARNING, {parent}))
    given.fit()
    attached = HyperparameterTuner.attach(given.latest_tuning_job.name, sagemaker_session=session)
    assert attached.warm_start_config.parents == {parent}
    assert first.transfer_learning_tuner({child}).warm_start_config.parents == {parent, child}


def test_a_parent_that_is_not_there_is_refused_as_aws_does(tuner):
    from botocore.exceptions import ClientError
    from sagemaker.tuner import WarmStartConfig, WarmStartTypes

    start = WarmStartConfig(WarmStartTypes.TRANSFER_LEARNING, {"never-was"})
    with pytest.raises(ClientError, match=r"can't find a tuning job called never-was") as caught:
        tuner("orphan", warm_start_config=start).fit()
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_an_objective_that_no_line_gives_is_told_while_the_job_runs(estimator, sm, home):
    from sagemaker.tuner import ContinuousParameter, HyperparameterTuner

    tuning = HyperparameterTuner(
        estimator("curve.py", hyperparameters={"epochs": 1, "pause": 0}),
        "loss",
        {"lr": ContinuousParameter(0.001, 0.1)},
        [{"Name": "loss", "Regex": r"Epoch \d+ Loss: ([0-9.]+)"}],
        max_jobs=2,
        max_parallel_jobs=1,
        base_tuning_job_name="unmatched",
    )
    tuning.fit(wait=False)
    name = tuning.latest_tuning_job.name
    eventually(lambda: len(trials(sm, name)) == 2)
    first = trials(sm, name)[0]["TrainingJobName"]
    assert any("epoch 1 loss: " in line and "capital letters" in line for line in log(first) if "sagehound" in line)
    eventually(lambda: status(sm, name) == "Failed")
    reason = described(sm, name)["FailureReason"]
    assert "No objective metrics found" in reason
    assert "'epoch 1 loss: " in reason


def test_a_value_that_the_script_does_not_read_is_told_in_the_trials_log(tuner, sm):
    from sagemaker.tuner import ContinuousParameter, HyperparameterTuner

    tuning = tuner("unread", max_jobs=1)
    tuning = HyperparameterTuner(
        tuning.estimator,
        "loss",
        {"learning-rate": ContinuousParameter(0.001, 0.1)},
        LOSS,
        max_jobs=1,
        base_tuning_job_name="unread",
    )
    tuning.fit(wait=False)
    name = tuning.latest_tuning_job.name
    eventually(lambda: status(sm, name) == "Failed")
    (trial,) = trials(sm, name)
    assert any("the script's parser has no option --learning-rate" in line for line in log(trial["TrainingJobName"]))


def test_boto3_alone_makes_a_job_that_attach_reads(sm, tuner, session):
    from sagemaker.tuner import HyperparameterTuner

    like = tuner("bare")
    like.fit()
    found = described(sm, like.latest_tuning_job.name)
    definition = {key: value for key, value in found["TrainingJobDefinition"].items() if value not in ("", {})}
    definition.pop("HyperParameterTuningResourceConfig")
    definition["OutputDataConfig"] = {"S3OutputPath": definition["OutputDataConfig"]["S3OutputPath"]}
    config = {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "lr", "MinValue": "0.1", "MaxValue": "0.2"}]},
    }
    sm.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="bare-boto", HyperParameterTuningJobConfig=config, TrainingJobDefinition=definition
    )
    eventually(lambda: status(sm, "bare-boto") == "Completed")
    attached = HyperparameterTuner.attach("bare-boto", sagemaker_session=session)
    assert set(attached.hyperparameter_ranges()) == {
        "CategoricalParameterRanges",
        "ContinuousParameterRanges",
        "IntegerParameterRanges",
    }
    assert json.dumps(trials(sm, "bare-boto")[0]["TunedHyperParameters"]).startswith('{"lr": "0.1')
