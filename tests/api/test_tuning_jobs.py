"""Tuning jobs through their operations."""

import dataclasses
import re

import pytest

from sagehound.api import training_jobs, tuning_jobs
from sagehound.api.context import NOTES
from sagehound.errors import AlreadyExists, InvalidInput, NotFound
from sagehound.records.training import Metric, TrainingJob, TrainingStatus
from sagehound.records.tuning import TuningJob, TuningStatus
from tests.api import requests
from tests.api.conftest import NOW

NAME = "pytorch-training-261122-1649"
ARN = f"arn:aws:sagemaker:us-east-1:000000000000:hyper-parameter-tuning-job/{NAME}"
LOSS = "average test loss"


def add_trial(context, number, status=TrainingStatus.IN_PROGRESS, loss=None, **tuned):
    """What the tuning loop writes of a trial."""
    spec = context.store.get(TuningJob, NAME).spec
    tuned = tuned or {"lr": f"0.0{number}", "batch_size": '"32"', "epochs": '"1"'}
    name = f"{NAME}-{number:03d}-00000000"
    context.store.insert(
        TrainingJob(
            name=name,
            created_at=NOW + number,
            modified_at=NOW + number,
            arn=context.arn("training-job", name),
            spec=dataclasses.replace(spec.training, hyperparameters=spec.training.hyperparameters | tuned),
            document=spec.definitions[0].training_document,
            parent=NAME,
            tuned=tuned,
            status=status,
            started_at=NOW + number,
            ended_at=NOW + number + 5 if status.ended else None,
            metrics=() if loss is None else (Metric(name=LOSS, value=loss, at=NOW),),
        )
    )
    return name


@pytest.fixture
def job(call, context):
    call("CreateHyperParameterTuningJob", **requests.tuning(NAME))
    return context.store.get(TuningJob, NAME)


def test_create_gives_the_arn(call):
    assert call("CreateHyperParameterTuningJob", **requests.tuning(NAME)) == {"HyperParameterTuningJobArn": ARN}


def test_a_name_is_taken_once_in_aws_words(call, job):
    said = f"A hyperparameter tuning job with the name, {NAME}, already exists. Choose a different name. (The SDK names"
    with pytest.raises(AlreadyExists, match=re.escape(said)):
        call("CreateHyperParameterTuningJob", **requests.tuning(NAME))


def test_describe_gives_what_attach_needs(call, job):
    described = call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName=NAME)
    request = requests.tuning(NAME)
    definition = described["TrainingJobDefinition"]
    assert described["HyperParameterTuningJobConfig"] == request["HyperParameterTuningJobConfig"]
    assert definition["ResourceConfig"] == request["TrainingJobDefinition"]["HyperParameterTuningResourceConfig"]
    assert definition["StaticHyperParameters"]["_tuning_objective_metric"] == LOSS
    assert definition["StaticHyperParameters"]["sagemaker_program"] == '"hpo.py"'
    assert definition["OutputDataConfig"]["KmsKeyId"] == ""
    assert "BestTrainingJob" not in described
    assert sum(described["TrainingJobStatusCounters"].values()) == 0


def test_describe_counts_trials_and_names_the_best(call, context, job):
    add_trial(context, 1, TrainingStatus.COMPLETED, 0.5)
    best = add_trial(context, 2, TrainingStatus.COMPLETED, 0.25)
    add_trial(context, 3, TrainingStatus.FAILED, 0.1)
    add_trial(context, 4, TrainingStatus.STOPPED)
    add_trial(context, 5, TrainingStatus.STOPPING)
    add_trial(context, 6)
    described = call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName=NAME)
    assert described["TrainingJobStatusCounters"] == {
        "Completed": 2,
        "InProgress": 2,
        "RetryableError": 0,
        "NonRetryableError": 1,
        "Stopped": 1,
    }
    assert described["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 2, "Failed": 2}
    assert described["BestTrainingJob"]["TrainingJobName"] == best
    assert described["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"] == {
        "Type": "Minimize",
        "MetricName": LOSS,
        "Value": 0.25,
    }


def test_maximize_turns_the_order_round(call, context):
    goal = {"Type": "Maximize", "MetricName": LOSS}
    call("CreateHyperParameterTuningJob", **requests.tuning(NAME, HyperParameterTuningJobObjective=goal))
    best = add_trial(context, 1, TrainingStatus.COMPLETED, 0.5)
    add_trial(context, 2, TrainingStatus.COMPLETED, 0.25)
    described = call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName=NAME)
    assert described["BestTrainingJob"]["TrainingJobName"] == best


def test_a_trial_describes_like_a_training_job(call, context, job):
    name = add_trial(context, 1, TrainingStatus.COMPLETED, 0.5)
    described = call("DescribeTrainingJob", TrainingJobName=name)
    assert described["HyperParameters"]["_tuning_objective_metric"] == LOSS
    assert described["HyperParameters"]["batch_size"] == '"32"'
    assert described["TuningJobArn"] == ARN
    assert described["ResourceConfig"]["InstanceType"] == "ml.c5.2xlarge"
    assert described["OutputDataConfig"]["KmsKeyId"] == ""


def test_trials_are_listed_by_name_and_page_by_page(call, context, job):
    names = [add_trial(context, number, TrainingStatus.COMPLETED, 0.1 * number) for number in (3, 1, 2)]

    def page(**request):
        return call("ListTrainingJobsForHyperParameterTuningJob", HyperParameterTuningJobName=NAME, **request)

    first = page(MaxResults=2)
    second = page(MaxResults=2, NextToken=first["NextToken"])
    listed = [item["TrainingJobName"] for item in first["TrainingJobSummaries"] + second["TrainingJobSummaries"]]
    assert listed == sorted(names)
    assert "NextToken" not in second
    assert first["TrainingJobSummaries"][0]["TunedHyperParameters"] == {
        "lr": "0.01",
        "batch_size": '"32"',
        "epochs": '"1"',
    }
    assert page(StatusEquals="Failed")["TrainingJobSummaries"] == []


def test_a_stopped_trial_is_never_the_best(call, context, job):
    add_trial(context, 1, TrainingStatus.STOPPED, 0.1)
    assert "BestTrainingJob" not in call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName=NAME)
    best = add_trial(context, 2, TrainingStatus.COMPLETED, 0.5)
    described = call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName=NAME)
    assert described["BestTrainingJob"]["TrainingJobName"] == best


def test_trials_in_the_order_of_the_objective(call, context, job):
    losses = {1: 0.3, 2: 0.1, 3: 0.2}
    for number, loss in losses.items():
        add_trial(context, number, TrainingStatus.COMPLETED, loss)
    add_trial(context, 4)

    def values(**request):
        response = call(
            "ListTrainingJobsForHyperParameterTuningJob",
            HyperParameterTuningJobName=NAME,
            SortBy="FinalObjectiveMetricValue",
            **request,
        )
        shown = response["TrainingJobSummaries"]
        return [item["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for item in shown], response

    assert values()[0] == [0.1, 0.2, 0.3]
    assert values(SortOrder="Descending")[0] == [0.3, 0.2, 0.1]
    first, response = values(MaxResults=2)
    assert (first, values(MaxResults=2, NextToken=response["NextToken"])[0]) == ([0.1, 0.2], [0.3])
    assert values(StatusEquals="Stopped")[0] == []
    with pytest.raises(InvalidInput, match="NextToken"):
        values(NextToken="bm8=")


def test_an_unknown_job_is_not_found_in_aws_words(call):
    for operation in (
        "DescribeHyperParameterTuningJob",
        "StopHyperParameterTuningJob",
        "DeleteHyperParameterTuningJob",
        "ListTrainingJobsForHyperParameterTuningJob",
    ):
        with pytest.raises(NotFound, match=r"can't find a tuning job called none\. Type another name\."):
            call(operation, HyperParameterTuningJobName="none")


def test_stop_asks_once_and_is_refused_at_the_end(call, context, clock, job):
    clock.advance(5)
    assert call("StopHyperParameterTuningJob", HyperParameterTuningJobName=NAME) == {}
    stopping = context.store.get(TuningJob, NAME)
    assert (stopping.status, stopping.modified_at) == (TuningStatus.STOPPING, NOW + 5)
    call("StopHyperParameterTuningJob", HyperParameterTuningJobName=NAME)
    context.store.update(TuningJob, NAME, lambda job: job.evolve(status=TuningStatus.STOPPED, ended_at=NOW + 9))
    described = call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName=NAME)
    assert described["HyperParameterTuningEndTime"] == NOW + 9
    assert described["ConsumedResources"] == {"RuntimeInSeconds": 9}
    with pytest.raises(InvalidInput, match="in status Stopped"):
        call("StopHyperParameterTuningJob", HyperParameterTuningJobName=NAME)


def test_list_is_by_name_and_counts(call, context, job):
    add_trial(context, 1, TrainingStatus.COMPLETED, 0.5)
    call("CreateHyperParameterTuningJob", **requests.tuning("a-search"))
    listed = call("ListHyperParameterTuningJobs")["HyperParameterTuningJobSummaries"]
    assert [item["HyperParameterTuningJobName"] for item in listed] == ["a-search", NAME]
    assert [item["ObjectiveStatusCounters"]["Succeeded"] for item in listed] == [0, 1]
    assert call("ListHyperParameterTuningJobs", StatusEquals="Completed")["HyperParameterTuningJobSummaries"] == []


def test_trials_that_the_machine_lost_are_counted_apart(call, context, job):
    for number, reason in ((1, "InternalServerError: gone"), (2, "AlgorithmError: x")):
        name = add_trial(context, number, TrainingStatus.FAILED)
        context.store.update(TrainingJob, name, lambda trial, reason=reason: trial.evolve(failure_reason=reason))
    counters = call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName=NAME)["TrainingJobStatusCounters"]
    assert (counters["RetryableError"], counters["NonRetryableError"]) == (1, 1)


def test_a_trial_that_had_everything_may_be_the_best_though_it_was_stopped(call, context, job):
    name = add_trial(context, 1, TrainingStatus.STOPPED, 0.1)
    add_trial(context, 2, TrainingStatus.COMPLETED, 0.5)
    context.store.update(TrainingJob, name, lambda trial: trial.evolve(finished=True, artifacts_uri="s3://b/m"))
    described = call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName=NAME)
    assert described["BestTrainingJob"]["TrainingJobName"] == name


def test_what_does_not_improve_is_counted_and_convergence_dated(call, context, job):
    for number, loss in enumerate((0.5, 0.499, 0.3, 0.2999, 0.31), 1):
        add_trial(context, number, TrainingStatus.COMPLETED, loss)
    context.store.update(TuningJob, NAME, lambda job: job.evolve(converged_at=NOW + 3))
    details = call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName=NAME)["TuningJobCompletionDetails"]
    assert details == {"NumberOfTrainingJobsObjectiveNotImproving": 2, "ConvergenceDetectedTime": NOW + 3}


def test_tags_are_there_before_the_job_that_they_belong_to(call, context):
    seen = []
    context.store.watch(lambda record: seen.append(type(record).__name__))
    call("CreateHyperParameterTuningJob", **requests.tuning(NAME), Tags=[{"Key": "team", "Value": "pets"}])
    assert seen == ["TagSet", "TuningJob"]
    with pytest.raises(AlreadyExists):
        call("CreateHyperParameterTuningJob", **requests.tuning(NAME), Tags=[{"Key": "team", "Value": "others"}])
    assert call("ListTags", ResourceArn=ARN)["Tags"] == [{"Key": "team", "Value": "pets"}]


def test_notes_go_beside_what_aws_has_fields_for(call, context, job):
    name = add_trial(context, 1)
    context.store.update(TuningJob, NAME, lambda job: job.evolve(notes=("no loss",), complete_because="0.1 is reached"))
    context.store.update(TrainingJob, name, lambda trial: trial.evolve(notes=("momentum is not used",)))
    described = tuning_jobs.describe({"HyperParameterTuningJobName": NAME}, context)
    assert described[NOTES] == ("No more trials are made: 0.1 is reached", "no loss")
    assert training_jobs.describe({"TrainingJobName": name}, context)[NOTES] == ("momentum is not used",)


def ended(context, name=NAME, status=TuningStatus.COMPLETED):
    context.store.update(TuningJob, name, lambda job: job.evolve(status=status, ended_at=NOW + 9))


@pytest.mark.parametrize("status", [TuningStatus.COMPLETED, TuningStatus.STOPPED, TuningStatus.FAILED])
def test_delete_takes_the_entry_and_its_tags_and_leaves_the_trials(call, context, status):
    tags = [{"Key": "team", "Value": "photos"}]
    call("CreateHyperParameterTuningJob", **requests.tuning(NAME), Tags=tags)
    trial = add_trial(context, 1, TrainingStatus.COMPLETED, 0.5)
    ended(context, status=status)
    assert call("DeleteHyperParameterTuningJob", HyperParameterTuningJobName=NAME) == {}
    assert call("ListHyperParameterTuningJobs")["HyperParameterTuningJobSummaries"] == []
    with pytest.raises(NotFound):
        call("ListTags", ResourceArn=ARN)
    with pytest.raises(NotFound, match="can't find a tuning job called"):
        call("DeleteHyperParameterTuningJob", HyperParameterTuningJobName=NAME)
    assert [job["TrainingJobName"] for job in call("ListTrainingJobs")["TrainingJobSummaries"]] == [trial]
    assert call("DescribeTrainingJob", TrainingJobName=trial)["TuningJobArn"] == ARN


@pytest.mark.parametrize("status", [TuningStatus.IN_PROGRESS, TuningStatus.STOPPING])
def test_delete_of_one_that_runs_says_to_stop_it_first(call, context, job, status):
    if status is TuningStatus.STOPPING:
        call("StopHyperParameterTuningJob", HyperParameterTuningJobName=NAME)
    with pytest.raises(InvalidInput, match=f"in status {status}.*stop it with StopHyperParameterTuningJob"):
        call("DeleteHyperParameterTuningJob", HyperParameterTuningJobName=NAME)
    assert context.store.get(TuningJob, NAME).status is status


def test_the_name_of_a_deleted_one_stays_taken_by_its_trials(call, context, job):
    trial = add_trial(context, 1, TrainingStatus.COMPLETED, 0.5)
    ended(context)
    call("DeleteHyperParameterTuningJob", HyperParameterTuningJobName=NAME)
    with pytest.raises(AlreadyExists, match=rf"still exist \(e\.g\. {trial}\)\. Choose a different name"):
        call("CreateHyperParameterTuningJob", **requests.tuning(NAME))


def test_the_name_of_a_deleted_one_without_trials_is_free(call, context, job):
    ended(context, status=TuningStatus.STOPPED)
    call("DeleteHyperParameterTuningJob", HyperParameterTuningJobName=NAME)
    call("CreateHyperParameterTuningJob", **requests.tuning(NAME))
    assert context.store.get(TuningJob, NAME).status is TuningStatus.IN_PROGRESS
