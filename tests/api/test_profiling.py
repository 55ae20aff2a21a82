"""ProfilerConfig and its rules: created, described, updated."""

import pytest

from sagehound.api.rule_names import PROFILER_DOCUMENTED, PROFILER_OWN
from sagehound.errors import InvalidInput, Unsupported
from sagehound.profile.findings import registry
from sagehound.records.rules import ActionKind
from sagehound.records.training import TrainingJob, TrainingStatus
from tests.api import requests
from tests.api.test_training_jobs import run_to

NAME = "dog-2026-11-22"
#: As SDK v2 sends the seed's.
SEED = {
    "S3OutputPath": f"{requests.BUCKET}/",
    "DisableProfiler": False,
    "ProfilingIntervalInMilliseconds": 500,
    "ProfilingParameters": {
        "LocalPath": "/opt/ml/output/profiler",
        "RotateMaxFileSizeInBytes": "10485760",
        "DetailedProfilingConfig": '{"StartStep": 0, "NumSteps": 10, }',
        "DataloaderProfilingConfig": '{"StartStep": 0, "NumSteps": 10, "MetricsRegex": ".*", }',
    },
}


def rule(name="ProfilerReport", invoked=None, **parameters):
    given = {"rule_to_invoke": invoked or name, **parameters}
    image = "DEFAULT_RULE_EVALUATOR_IMAGE"
    return {"RuleConfigurationName": name, "RuleEvaluatorImage": image, "RuleParameters": given}


def created(call, context, **changes):
    call("CreateTrainingJob", **requests.training(**changes))
    return context.store.get(TrainingJob, NAME)


def updated(call, context, **request):
    assert call("UpdateTrainingJob", TrainingJobName=NAME, **request)["TrainingJobArn"].endswith(NAME)
    return context.store.get(TrainingJob, NAME)


def described(call):
    return call("DescribeTrainingJob", TrainingJobName=NAME)


def test_the_seeds_config_has_machine_and_script_profiled(call, context):
    spec = created(call, context, ProfilerConfig=SEED, ProfilerRuleConfigurations=[rule()]).spec
    assert (spec.profiler_interval_ms, spec.profiler_path) == (500, "/opt/ml/output/profiler")
    assert (spec.profiler_uri, spec.auto_profile) == (f"{requests.BUCKET}/", True)
    assert spec.profiler == SEED
    (found,) = spec.profiler_rules
    assert (found.name, found.invoked, found.parameters) == ("ProfilerReport", "ProfilerReport", {})
    answer = described(call)
    assert answer["ProfilingStatus"] == "Enabled"
    (status,) = answer["ProfilerRuleEvaluationStatuses"]
    assert (status["RuleConfigurationName"], status["RuleEvaluationStatus"]) == ("ProfilerReport", "InProgress")


def test_the_config_that_every_job_of_the_sdk_has_samples_the_machine_alone(call, context):
    spec = created(call, context).spec
    assert (spec.profiler_interval_ms, spec.auto_profile, spec.profiler_rules) == (500, False, ())


def test_no_config_and_a_disabled_one_profile_nothing(call, context):
    spec = created(call, context, ProfilerConfig={"DisableProfiler": True}).spec
    assert (spec.profiler_interval_ms, spec.profiler, spec.profiler_uri) == (0, {}, "")
    assert described(call)["ProfilingStatus"] == "Disabled"
    request = requests.training("other")
    del request["ProfilerConfig"]
    call("CreateTrainingJob", **request)
    assert call("DescribeTrainingJob", TrainingJobName="other")["ProfilingStatus"] == "Disabled"


def test_an_interval_is_one_of_six(call, context):
    allowed = r"ProfilingIntervalInMilliseconds is 250; allowed are 100, 200, 500, 1000, 5000, 60000"
    with pytest.raises(InvalidInput, match=allowed):
        created(call, context, ProfilerConfig={**SEED, "ProfilingIntervalInMilliseconds": 250})
    created(call, context)
    with pytest.raises(InvalidInput, match=allowed):
        updated(call, context, ProfilerConfig={"ProfilingIntervalInMilliseconds": 250})


@pytest.mark.parametrize("path", ["profiler", "/tmp/profiler", "/opt/ml", "/opt/ml/output/../../x"])
def test_a_local_path_lies_in_the_job(call, context, path):
    with pytest.raises(InvalidInput, match=r"LocalPath .* must be a folder in /opt/ml"):
        created(call, context, ProfilerConfig={**SEED, "ProfilingParameters": {"LocalPath": path}})


def test_a_rules_parameters_and_actions(call, context):
    action = '[{"name": "stoptraining"}]'
    asked = rule("Mine", "lowgpuutilization", threshold_p95="60", action_json=action)
    (found,) = created(call, context, ProfilerRuleConfigurations=[asked]).spec.profiler_rules
    assert (found.invoked, found.parameters) == ("LowGPUUtilization", {"threshold_p95": "60"})
    assert [action.kind for action in found.actions] == [ActionKind.STOP_TRAINING]
    assert found.output_uri == f"{requests.BUCKET}/"


@pytest.mark.parametrize(
    ("listed", "error", "words"),
    [
        ([rule("Slow")], InvalidInput, r"asks for 'Slow', which is no rule of the profiler; there are .*BatchSize, "),
        ([{**rule(), "RuleParameters": {}}], InvalidInput, "has no rule_to_invoke; there are"),
        ([rule(), rule()], InvalidInput, "every RuleConfigurationName must be unique"),
        ([rule(f"R{n}", "ProfilerReport") for n in range(21)], InvalidInput, "has 21 rules; at most 20"),
        ([rule("D-1", "DetailedProfilerProcessingJobConfig")], Unsupported, "FrameworkProfile"),
        ([rule(source_s3_uri="s3://b/rule.py")], Unsupported, "ProfilerRule.custom"),
    ],
)
def test_rules_that_can_never_run(call, context, listed, error, words):
    with pytest.raises(error, match=words):
        created(call, context, ProfilerRuleConfigurations=listed)


def test_rules_need_the_profiler(call, context):
    with pytest.raises(InvalidInput, match="DisableProfiler switches off"):
        created(call, context, ProfilerConfig={"DisableProfiler": True}, ProfilerRuleConfigurations=[rule()])


def test_an_update_changes_the_interval_and_keeps_the_rest(call, context):
    created(call, context, ProfilerConfig=SEED)
    job = updated(call, context, ProfilerConfig={"DisableProfiler": False, "ProfilingIntervalInMilliseconds": 100})
    assert (job.spec.profiler_interval_ms, job.spec.profiler_uri) == (100, f"{requests.BUCKET}/")
    assert job.spec.profiler["ProfilingParameters"] == SEED["ProfilingParameters"]
    assert described(call)["ProfilerConfig"]["ProfilingIntervalInMilliseconds"] == 100


def test_framework_metrics_are_not_brought_into_a_script_that_runs(call, context):
    created(call, context)
    with pytest.raises(InvalidInput, match="began without them"):
        updated(call, context, ProfilerConfig=SEED)


def test_an_update_switches_off_and_on_again(call, context):
    created(call, context, ProfilerConfig=SEED)
    job = updated(call, context, ProfilerConfig={"DisableProfiler": True})
    assert (job.spec.profiler_interval_ms, job.spec.profiler) == (0, {"DisableProfiler": True})
    assert job.spec.profiler_uri == f"{requests.BUCKET}/"
    assert described(call)["ProfilingStatus"] == "Disabled"
    job = updated(call, context, ProfilerConfig={"S3OutputPath": f"{requests.BUCKET}/", "DisableProfiler": False})
    assert (job.spec.profiler_interval_ms, described(call)["ProfilingStatus"]) == (500, "Enabled")


def test_an_update_adds_rules(call, context):
    created(call, context, ProfilerRuleConfigurations=[rule()])
    job = updated(call, context, ProfilerRuleConfigurations=[rule("BatchSize")])
    assert [each.name for each in job.spec.profiler_rules] == ["ProfilerReport", "BatchSize"]
    assert [each["RuleConfigurationName"] for each in described(call)["ProfilerRuleEvaluationStatuses"]] == [
        "ProfilerReport",
        "BatchSize",
    ]
    with pytest.raises(InvalidInput, match="must be unique"):
        updated(call, context, ProfilerRuleConfigurations=[rule("BatchSize")])


@pytest.mark.parametrize(
    ("request_of", "error", "words"),
    [
        ({}, InvalidInput, "nothing to update"),
        ({"ProfilerConfig": {"S3OutputPath": "s3://other/"}}, InvalidInput, "cannot be changed while the job runs"),
        ({"ResourceConfig": {"KeepAlivePeriodInSeconds": 60}}, Unsupported, "ResourceConfig is not supported"),
        ({"RemoteDebugConfig": {"EnableRemoteDebug": True}}, Unsupported, "EnableRemoteDebug is not supported"),
    ],
)
def test_updates_that_are_refused(call, context, request_of, error, words):
    created(call, context, ProfilerConfig=SEED)
    with pytest.raises(error, match=words):
        updated(call, context, **request_of)


def test_a_job_that_has_ended_is_not_updated(call, context):
    created(call, context)
    run_to(context, NAME, TrainingStatus.COMPLETED)
    with pytest.raises(InvalidInput, match="is in status Completed"):
        updated(call, context, ProfilerConfig={"DisableProfiler": True})


def test_the_service_knows_the_rules_that_there_are():
    assert {*PROFILER_DOCUMENTED} == {*registry.DOCUMENTED, "ProfilerReport"}
    assert {*PROFILER_OWN} == {*registry.BEYOND}
