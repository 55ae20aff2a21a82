"""The debugger through the SageMaker SDK v2, with users' scripts."""

import json
import subprocess
import sys

import boto3
import pytest

from tests.sdk.conftest import SCRIPTS
from tests.sdk.test_training import described, ended, log_of
from tests.sdk.waiting import eventually

DOOMED = {"steps": 30, "epochs": 100000, "scale": 1e-9}


def hook_config(**collections):
    """The seed's; `collections` are further ones, with their interval."""
    from sagemaker.debugger import CollectionConfig, DebuggerHookConfig

    loss = {"include_regex": "CrossEntropyLoss_output_0", "train.save_interval": "10", "eval.save_interval": "1"}
    further = [CollectionConfig(name, {"save_interval": interval}) for name, interval in collections.items()]
    return DebuggerHookConfig(
        hook_parameters={"train.save_interval": "10", "eval.save_interval": "5"},
        collection_configs=[CollectionConfig(name="CrossEntropyLoss_output_0", parameters=loss), *further],
    )


def judged(job):
    """The statuses of the job's rules by name, once no rule is in progress."""
    summary = job.latest_training_job.rule_job_summary()
    done = all(rule["RuleEvaluationStatus"] != "InProgress" for rule in summary)
    return {rule["RuleConfigurationName"]: rule for rule in summary} if done else None


def tensors(job):
    from smdebug.trials import create_trial

    return create_trial(job.latest_job_debugger_artifacts_path())


def steps_of(trial, name, mode):
    from smdebug.core.modes import ModeKeys

    return trial.tensor(name).steps(mode=ModeKeys[mode])


def test_the_seeds_hook_rules_and_plot(estimator):
    from sagemaker.debugger import ProfilerRule, Rule, rule_configs
    from smdebug.core.modes import ModeKeys

    rules = [
        Rule.sagemaker(rule_configs.vanishing_gradient()),
        Rule.sagemaker(rule_configs.loss_not_decreasing()),
        ProfilerRule.sagemaker(rule_configs.ProfilerReport()),
    ]
    job = estimator("hooked.py", rules=rules, debugger_hook_config=hook_config())
    job.fit()
    statuses = eventually(lambda: judged(job))
    assert {name: status["RuleEvaluationStatus"] for name, status in statuses.items()} == {
        "VanishingGradient": "NoIssuesFound",
        "LossNotDecreasing": "NoIssuesFound",
        "ProfilerReport": statuses["ProfilerReport"]["RuleEvaluationStatus"],
    }
    assert statuses["ProfilerReport"]["RuleEvaluationStatus"] in ("NoIssuesFound", "IssuesFound")
    trial = tensors(job)
    loss = trial.tensor("CrossEntropyLoss_output_0")
    assert loss.steps(mode=ModeKeys.TRAIN) == [0, 10, 20, 30, 40, 50]
    assert loss.steps(mode=ModeKeys.EVAL) == list(range(12))
    first, *_, last = [float(loss.value(step, mode=ModeKeys.EVAL)) for step in loss.steps(mode=ModeKeys.EVAL)]
    assert last < first
    assert "gradient/Net_fc1.weight" in trial.tensor_names(collection="gradients")
    assert trial.loaded_all_steps


def test_a_hook_that_is_asked_for_by_get_hook(estimator):
    job = estimator("hooked.py", hyperparameters={"hook": "get"}, debugger_hook_config=hook_config(weights="20"))
    job.fit(wait=False)
    eventually(lambda: ended(boto3.client("sagemaker"), job.latest_training_job.name))
    trial = tensors(job)
    assert steps_of(trial, "CrossEntropyLoss_output_0", "EVAL") == list(range(12))
    assert steps_of(trial, "Net_fc2.weight", "TRAIN") == [0, 20, 40]


def test_a_script_without_a_line_of_the_debuggers_and_a_functional_loss(estimator, sm):
    job = estimator("unhooked.py", debugger_hook_config=hook_config(gradients="10"))
    job.fit(wait=False)
    name = job.latest_training_job.name
    assert eventually(lambda: ended(sm, name))["TrainingJobStatus"] == "Completed"
    trial = tensors(job)
    assert len(steps_of(trial, "CrossEntropyLoss_output_0", "TRAIN")) == 3, log_of(name)
    assert [name for name in trial.tensor_names() if name.startswith("gradient/")]


def test_a_rule_stops_a_doomed_training_and_is_read_by_every_client(estimator, sm, aws, home):
    from sagemaker.debugger import Rule, rule_configs

    stop = rule_configs.ActionList(rule_configs.StopTraining(), rule_configs.Email("me@example.org"))
    rules = [Rule.sagemaker(rule_configs.vanishing_gradient(), actions=stop)]
    job = estimator("hooked.py", hyperparameters=DOOMED, rules=rules, debugger_hook_config=hook_config(gradients="10"))
    job.fit(wait=False)
    name = job.latest_training_job.name
    description = eventually(lambda: ended(sm, name))
    assert description["TrainingJobStatus"] == "Stopped"
    assert description["SecondaryStatusTransitions"][-1]["StatusMessage"] == (
        f"Training job stopped: the rule VanishingGradient of {name} found issues"
    )
    assert any(line.startswith(f"The rule VanishingGradient of {name} stops this job.") for line in log_of(name))
    eventually(lambda: judged(job))
    shown = json.loads(aws("sagemaker", "describe-training-job", "--training-job-name", name))
    (status,) = shown["DebugRuleEvaluationStatuses"]
    assert status["RuleEvaluationStatus"] == "IssuesFound"
    assert ":processing-job/" in status["RuleEvaluationJobArn"]
    assert f"StopTraining stopped the training job {name}" in status["StatusDetails"]
    assert "Email: no mail was sent to me@example.org" in status["StatusDetails"]
    assert shown["DebugHookConfig"]["HookParameters"]["train.save_interval"] == "10"
    said = command(home, "rules", name)
    assert "1. VanishingGradient: gradient/Net_" in said
    assert "Change: " in said
    (found,) = json.loads(command(home, "rules", name, "--json"))
    assert found["findings"][0]["numbers"]
    shown = command(home, "jobs", name)
    assert f"the rule VanishingGradient of {name} found issues" in shown
    assert "VanishingGradient IssuesFound" in shown


def test_a_rule_of_ones_own_and_rules_that_cannot_run(estimator, session):
    from sagemaker import image_uris
    from sagemaker.debugger import CollectionConfig, Rule, rule_configs

    image = image_uris.retrieve("debugger", session.boto_region_name)
    losses = [CollectionConfig("losses", {"save_interval": "5"})]
    own = {"instance_type": "ml.t3.medium", "volume_size_in_gb": 5, "image_uri": image, "collections_to_save": losses}
    source = str(SCRIPTS / "loss_above.py")
    rules = [
        Rule.custom("Fires", source=source, rule_to_invoke="LossAbove", rule_parameters={"limit": "0.1"}, **own),
        Rule.custom("Rests", source=source, rule_to_invoke="LossAbove", rule_parameters={"limit": "1e6"}, **own),
        Rule.custom("Absent", source=source, rule_to_invoke="LossBelow", **own),
        Rule.sagemaker(rule_configs.overfit(), rule_parameters={"patience": "many"}),
    ]
    job = estimator("hooked.py", rules=rules)
    job.fit(wait=False)
    statuses = eventually(lambda: judged(job))
    assert {name: status["RuleEvaluationStatus"] for name, status in statuses.items()} == {
        "Fires": "IssuesFound",
        "Rests": "NoIssuesFound",
        "Absent": "Error",
        "Overfit": "Error",
    }
    assert "LossBelow" in statuses["Absent"]["StatusDetails"]
    assert "patience" in statuses["Overfit"]["StatusDetails"]
    assert eventually(lambda: ended(boto3.client("sagemaker"), job.latest_training_job.name))["TrainingJobStatus"] == (
        "Completed"
    )


def test_event_files_for_tensorboard(estimator, session, sm):
    from sagemaker.debugger import DebuggerHookConfig, TensorBoardOutputConfig

    board = TensorBoardOutputConfig(f"s3://{session.default_bucket()}/board")
    wanted = DebuggerHookConfig(hook_parameters={"export_tensorboard": "True", "save_interval": "10"})
    job = estimator("hooked.py", debugger_hook_config=wanted, tensorboard_output_config=board)
    job.fit(wait=False)
    eventually(lambda: ended(sm, job.latest_training_job.name))
    place = job.latest_job_tensorboard_artifacts_path().removeprefix(f"s3://{session.default_bucket()}/")
    found = boto3.client("s3").list_objects_v2(Bucket=session.default_bucket(), Prefix=f"{place}/")
    assert [item for item in found.get("Contents", []) if "tfevents" in item["Key"]]


def test_a_rule_ends_doomed_trials_and_the_tuner_goes_on(estimator, sm):
    from sagemaker.tuner import CategoricalParameter, HyperparameterTuner

    rule = {
        "RuleConfigurationName": "VanishingGradient",
        "RuleParameters": {"action_json": '[{"name": "stoptraining"}]'},
    }
    asked = {
        "SAGEHOUND_DEBUG_RULES": json.dumps([rule]),
        "SAGEHOUND_DEBUG_HOOK": json.dumps({"CollectionConfigurations": [{"CollectionName": "gradients"}]}),
    }
    job = estimator("unhooked.py", environment=asked, hyperparameters={"steps": 600, "pause": 0.01})
    tuner = HyperparameterTuner(
        job,
        "average test loss",
        {"scale": CategoricalParameter([1.0, 1e-9])},
        [{"Name": "average test loss", "Regex": r"Test set: Average loss: ([0-9\.]+)"}],
        strategy="Grid",
        objective_type="Minimize",
        max_jobs=2,
        max_parallel_jobs=2,
    )
    tuner.fit(wait=False)
    tuner.wait()
    frame = tuner.analytics().dataframe()
    states = dict(zip(frame["scale"].str.strip('"').astype(float), frame["TrainingJobStatus"], strict=True))
    assert states == {1.0: "Completed", 1e-9: "Stopped"}
    assert tuner.describe()["HyperParameterTuningJobStatus"] == "Completed"
    best = frame[frame["TrainingJobStatus"] == "Completed"]["TrainingJobName"].item()
    assert tuner.best_training_job() == best
    stopped = frame[frame["TrainingJobStatus"] == "Stopped"]["TrainingJobName"].item()
    (status,) = described(sm, stopped)["DebugRuleEvaluationStatuses"]
    assert status["RuleEvaluationStatus"] == "IssuesFound"


def test_each_host_of_a_job_is_a_worker(estimator, sm):
    wanted = hook_config()
    wanted.hook_parameters["include_workers"] = "all"
    job = estimator("hooked.py", instance_count=2, debugger_hook_config=wanted)
    job.fit(wait=False)
    eventually(lambda: ended(sm, job.latest_training_job.name))
    trial = tensors(job)
    assert trial.workers() == ["worker_0", "worker_1"]
    assert steps_of(trial, "CrossEntropyLoss_output_0", "TRAIN") == [0, 10, 20, 30, 40, 50]


def test_what_is_refused_is_refused_at_the_door(estimator):
    from botocore.exceptions import ClientError
    from sagemaker.debugger import Rule, rule_configs

    sms = Rule.sagemaker(rule_configs.overfit(), actions=rule_configs.ActionList(rule_configs.SMS("+1234567890")))
    with pytest.raises(ClientError, match="action SMS of the rule 'Overfit' is not supported"):
        estimator("hooked.py", rules=[sms]).fit()
    with pytest.raises(ClientError, match=r"TreeDepth.* judges XGBoost models"):
        estimator("hooked.py", rules=[Rule.sagemaker(rule_configs.tree_depth())]).fit()


def command(home, *words):
    """What `sagehound WORDS` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "sagehound.cli", *words, "--home", str(home)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
