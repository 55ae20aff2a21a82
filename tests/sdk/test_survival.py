"""kill -9 of the service while it works, and a long queue."""

import json
import os
import signal
import tarfile

import boto3
import pytest

from sagehound.client import activate
from tests.sdk.conftest import SCRIPTS, kill_service, processes_of, start_service
from tests.sdk.waiting import eventually


@pytest.fixture
def client(own_home):
    """Starts the service of `own_home` and returns SageMaker's client of it; again after every call."""

    def make():
        start_service(own_home)
        activate(own_home)
        return boto3.client("sagemaker")

    return make


def code_in_s3():
    """The scripts as sourcedir.tar.gz in S3, as the SDK uploads them."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="survival")
    path = SCRIPTS.parent / "sourcedir.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for script in SCRIPTS.iterdir():
            archive.add(script, script.name)
    s3.upload_file(str(path), "survival", "sourcedir.tar.gz")
    path.unlink()
    return "s3://survival/sourcedir.tar.gz"


def training(code, script, **hyperparameters):
    """The request of a script-mode job, but for its name."""
    script_mode = {"sagemaker_program": f'"{script}"', "sagemaker_submit_directory": f'"{code}"'}
    return {
        "AlgorithmSpecification": {"TrainingImage": "pytorch-training:2.0", "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::000000000000:role/sagehound",
        "OutputDataConfig": {"S3OutputPath": "s3://survival/output"},
        "ResourceConfig": {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "HyperParameters": {**script_mode, **hyperparameters},
    }


def status(sm, name):
    return sm.describe_training_job(TrainingJobName=name)["TrainingJobStatus"]


def test_a_job_survives_kill_9(client, own_home, tmp_path):
    sm = client()
    go_on = tmp_path / "go-on"
    sm.create_training_job(TrainingJobName="survivor", **training(code_in_s3(), "waits.py", until=str(go_on)))
    eventually(lambda: sm.describe_training_job(TrainingJobName="survivor")["SecondaryStatus"] == "Training")
    eventually(lambda: (own_home / "jobs" / "survivor" / "algo-1.log").exists())
    kill_service(own_home)
    go_on.touch()  # The job ends while there is no service.
    sm = client()
    eventually(lambda: status(sm, "survivor") == "Completed")
    log = (own_home / "jobs" / "survivor" / "algo-1.log").read_text()
    assert log.count("begun") == 1
    artifacts = sm.describe_training_job(TrainingJobName="survivor")["ModelArtifacts"]["S3ModelArtifacts"]
    bucket, key = artifacts.removeprefix("s3://").split("/", 1)
    assert boto3.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] > 0


def test_a_tuning_job_survives_kill_9(client, own_home):
    sm = client()
    definition = training(code_in_s3(), "steps.py")
    definition["StaticHyperParameters"] = {**definition.pop("HyperParameters"), "pause": "0.5"}
    definition["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "loss", "Regex": "loss: ([0-9.]+)"}]
    sm.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="survivor",
        HyperParameterTuningJobConfig={
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "ContinuousParameterRanges": [{"Name": "lr", "MinValue": "0.001", "MaxValue": "0.1"}],
            },
        },
        TrainingJobDefinition=definition,
    )
    eventually(lambda: counters(sm)["Completed"] >= 1)
    kill_service(own_home)
    sm = client()
    eventually(lambda: tuning(sm)["HyperParameterTuningJobStatus"] == "Completed")
    assert counters(sm)["Completed"] == 6
    trials = sm.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName="survivor")
    assert len(trials["TrainingJobSummaries"]) == 6
    assert tuning(sm)["BestTrainingJob"]["TrainingJobName"]


def test_hyperband_goes_on_after_kill_9_and_runs_no_trial_twice(client, own_home):
    sm = client()
    definition = training(code_in_s3(), "curve.py")
    definition["StaticHyperParameters"] = {**definition.pop("HyperParameters"), "pause": "0.2", "epochs": "9"}
    definition["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "loss", "Regex": "loss: ([0-9.]+)"}]
    sm.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="survivor",
        HyperParameterTuningJobConfig={
            "Strategy": "Hyperband",
            "StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}},
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 8, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "ContinuousParameterRanges": [{"Name": "lr", "MinValue": "0.001", "MaxValue": "10"}],
            },
        },
        TrainingJobDefinition=definition,
    )
    for ended in (1, 3, 5):
        eventually(lambda sm=sm, ended=ended: counters(sm)["Completed"] + counters(sm)["Stopped"] >= ended)
        kill_service(own_home)
        sm = client()
    eventually(lambda: tuning(sm)["HyperParameterTuningJobStatus"] == "Completed")
    counted = counters(sm)
    assert counted["Completed"] + counted["Stopped"] == 8
    assert counted["Completed"] >= 1
    assert counted["Stopped"] >= 1
    for log in (own_home / "jobs").glob("survivor-*/algo-1.log"):
        assert log.read_text().count("mode None") == 1


def test_a_trial_whose_supervisor_is_killed_is_run_again(client, own_home, tmp_path):
    sm = client()
    go_on = tmp_path / "go-on"
    definition = training(code_in_s3(), "waits.py", until=str(go_on))
    definition["StaticHyperParameters"] = definition.pop("HyperParameters")
    definition["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "loss", "Regex": "loss: ([0-9.]+)"}]
    sm.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="survivor",
        HyperParameterTuningJobConfig={
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "lr", "MinValue": "0.1", "MaxValue": "1"}]},
        },
        TrainingJobDefinition={**definition, "RetryStrategy": {"MaximumRetryAttempts": 2}},
    )
    claim = eventually(lambda: next((own_home / "jobs").glob("survivor-*/shim.json"), None))
    log = claim.with_name("algo-1.log")
    eventually(lambda: log.is_file() and "begun" in log.read_text())
    os.kill(json.loads(claim.read_text())["pid"], signal.SIGKILL)
    eventually(lambda: log.read_text().count("begun") == 2)
    go_on.touch()
    eventually(lambda: tuning(sm)["HyperParameterTuningJobStatus"] == "Completed")
    assert counters(sm) == {"Completed": 1, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0}
    assert "the job is run again" in log.read_text()


def tuning(sm):
    return sm.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="survivor")


def counters(sm):
    return tuning(sm)["TrainingJobStatusCounters"]


def test_an_endpoint_comes_back_after_kill_9(client, own_home, tmp_path):
    sm = client()
    boto3.client("s3").create_bucket(Bucket="survival")
    archive = tmp_path / "model.tar.gz"
    (tmp_path / "weights.txt").write_text("7")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "weights.txt", "weights.txt")
        tar.add(SCRIPTS / "inference.py", "code/inference.py")
    boto3.client("s3").upload_file(str(archive), "survival", "model.tar.gz")
    sm.create_model(
        ModelName="m",
        ExecutionRoleArn="arn:aws:iam::000000000000:role/sagehound",
        PrimaryContainer={"Image": "pytorch-inference:2.0", "ModelDataUrl": "s3://survival/model.tar.gz"},
    )
    variant = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sm.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sm.create_endpoint(EndpointName="e", EndpointConfigName="c")
    eventually(lambda: sm.describe_endpoint(EndpointName="e")["EndpointStatus"] == "InService")
    kill_service(own_home)
    sm = client()
    reply = eventually(invoke)
    assert reply.startswith("[[7.0, 3.0")
    assert sm.describe_endpoint(EndpointName="e")["EndpointStatus"] == "InService"


def invoke():
    runtime = boto3.client("sagemaker-runtime")
    try:
        reply = runtime.invoke_endpoint(EndpointName="e", Body=b"abc", ContentType="image/jpeg")
    except runtime.exceptions.ClientError:
        return ""
    return reply["Body"].read().decode()


def test_fifty_queued_jobs_all_run(client, own_home):
    sm = client()
    request = training(code_in_s3(), "steps.py")
    names = [f"queued-{number:02d}" for number in range(50)]
    for name in names:
        sm.create_training_job(TrainingJobName=name, **request)
    pending = [name for name in names if secondary(sm, name) == "Pending"]
    assert len(pending) >= 30  # Four hosts side by side; the rest wait, and say so.
    eventually(lambda: all(status(sm, name) == "Completed" for name in names), deadline_s=150)


def secondary(sm, name):
    return sm.describe_training_job(TrainingJobName=name)["SecondaryStatus"]


def test_rules_are_judged_to_their_end_though_the_service_was_killed(client, own_home):
    sm = client()
    rule = {
        "RuleConfigurationName": "Flat",
        "RuleEvaluatorImage": "sagemaker-debugger-rules:latest",
        "RuleParameters": {"rule_to_invoke": "VanishingGradient"},
    }
    request = training(code_in_s3(), "unhooked.py", steps="400", pause="0.01", scale="1e-9")
    sm.create_training_job(TrainingJobName="judged", DebugRuleConfigurations=[rule], **request)
    eventually(lambda: list(own_home.glob("jobs/judged/rules/built-in/Flat.json")))
    evaluators = [process for process in processes_of(own_home) if "sagehound.debug.evaluator" in process.cmdline()]
    assert len(evaluators) == 1
    kill_service(own_home)
    evaluators[0].wait(20)
    eventually(lambda: list(own_home.glob("jobs/judged/exit.json")))
    sm = client()

    def judged():
        (status,) = sm.describe_training_job(TrainingJobName="judged")["DebugRuleEvaluationStatuses"]
        return status if status["RuleEvaluationStatus"] != "InProgress" else None

    assert eventually(judged)["RuleEvaluationStatus"] == "IssuesFound"
    assert status(sm, "judged") == "Completed"
    eventually(lambda: not [p for p in processes_of(own_home) if "sagehound.debug.evaluator" in p.cmdline()])
