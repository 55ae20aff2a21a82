"""The profiler through the SageMaker SDK v2, with users' scripts, and the AWS CLI."""

import json
import subprocess
import sys
from itertools import pairwise

import boto3
import pytest

from sagehound.names import S3Uri
from tests.sdk.test_debugger import command, judged
from tests.sdk.test_training import described, ended, log_of
from tests.sdk.waiting import eventually


def seeds_config():
    from sagemaker.debugger import FrameworkProfile, ProfilerConfig

    return ProfilerConfig(system_monitor_interval_millis=500, framework_profile_params=FrameworkProfile(num_steps=10))


def report_rule(**parameters):
    from sagemaker.debugger import ProfilerRule, rule_configs

    return ProfilerRule.sagemaker(rule_configs.ProfilerReport(**parameters))


def profile_of(sm, name):
    """The objects that the profiler of a job stored, by key."""
    place = S3Uri.parse(described(sm, name)["ProfilerConfig"]["S3OutputPath"]) / f"{name}/profiler-output"
    listed = boto3.client("s3").list_objects_v2(Bucket=place.bucket, Prefix=f"{place.key}/")
    return place.bucket, [item["Key"] for item in listed.get("Contents", [])]


def samples(sm, name):
    """What the machine did, as it lies in S3."""
    s3, (bucket, keys) = boto3.client("s3"), profile_of(sm, name)
    files = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys if "/system/incremental/" in key]
    return [json.loads(line) for file in files for line in file.splitlines()]


def times(sm, name):
    return sorted({each["Timestamp"] for each in samples(sm, name)})


def test_the_seeds_config_and_report_as_users_fetch_it(estimator, sm, aws, home, tmp_path):
    job = estimator("unhooked.py", rules=[report_rule()], profiler_config=seeds_config())
    job.fit(wait=False)
    name = job.latest_training_job.name
    assert eventually(lambda: ended(sm, name))["TrainingJobStatus"] == "Completed", log_of(name)
    assert described(sm, name)["ProfilingStatus"] == "Enabled"
    statuses = eventually(lambda: judged(job))
    status = statuses["ProfilerReport"]
    assert status["RuleEvaluationStatus"] in ("NoIssuesFound", "IssuesFound"), status
    aws("s3", "cp", f"{job.output_path}{name}/rule-output", str(tmp_path), "--recursive")
    output = tmp_path / "ProfilerReport" / "profiler-output"
    assert "<html" in (output / "profiler-report.html").read_text()[:500]
    assert json.loads((output / "profiler-report.ipynb").read_text())["cells"]
    usage = json.loads((output / "profiler-reports" / "OverallSystemUsage.json").read_text())
    assert {"RuleTriggered", "Violations", "Details", "Datapoints", "RuleParameters"} <= usage.keys()
    assert job.latest_job_profiler_artifacts_path() == f"{job.output_path}{name}/profiler-output"
    assert [key for key in profile_of(sm, name)[1] if "/framework/pevents/" in key], log_of(name)
    dimensions = {(each["Dimension"], each["Name"]) for each in samples(sm, name)}
    assert {("CPUUtilization", "cpu0"), ("CPUUtilization", "job"), ("I/OWaitPercentage", "machine")} <= dimensions
    fetched = tmp_path / "mine.html"
    assert command(home, "report", name, "-o", str(fetched)).strip() == str(fetched)
    assert fetched.read_bytes() == (output / "profiler-report.html").read_bytes()
    assert "ProfilerReport" in command(home, "rules", name)


def test_a_running_job_is_profiled_at_another_interval_and_not_at_all(estimator, sm, home, tmp_path):
    job = estimator("unhooked.py", hyperparameters={"steps": 100000, "pause": 0.01})
    job.fit(wait=False)
    name = job.latest_training_job.name
    assert eventually(lambda: len(times(sm, name)) > 2)
    assert command(home, "report", name, "-o", str(tmp_path / "now.html"))
    assert "<html" in (tmp_path / "now.html").read_text()[:500]
    job.update_profiler(rules=[report_rule()], system_monitor_interval_millis=100)
    begin = len(times(sm, name))

    def steady():
        found = times(sm, name)[begin:]
        gaps = sorted(b - a for a, b in pairwise(found))
        return len(gaps) > 20 and gaps[len(gaps) // 2] < 0.3

    eventually(steady)
    assert described(sm, name)["ProfilerConfig"]["ProfilingIntervalInMilliseconds"] == 100
    job.disable_profiling()
    assert described(sm, name)["ProfilingStatus"] == "Disabled"
    with pytest.raises(ValueError, match="already disabled"):
        job.disable_profiling()
    job.enable_default_profiling()
    assert described(sm, name)["ProfilingStatus"] == "Enabled"
    before = times(sm, name)[-1]
    eventually(lambda: times(sm, name)[-1] > before + 1)
    job.latest_training_job.stop()
    eventually(lambda: ended(sm, name))
    (status,) = eventually(lambda: judged(job)).values()
    assert status["RuleEvaluationStatus"] in ("NoIssuesFound", "IssuesFound"), status


def test_what_is_refused_is_refused_at_the_door(estimator):
    from botocore.exceptions import ClientError
    from sagemaker.debugger import ProfilerConfig

    config = ProfilerConfig(system_monitor_interval_millis=300)
    with pytest.raises(ClientError, match="is 300; allowed are 100, 200, 500, 1000, 5000, 60000"):
        estimator("unhooked.py", profiler_config=config).fit()


def test_a_job_without_a_profile_has_no_report(estimator, sm, home):

    job = estimator("steps.py", disable_profiler=True)
    job.fit(wait=False)
    name = job.latest_training_job.name
    eventually(lambda: ended(sm, name))
    asked = [sys.executable, "-m", "sagehound.cli", "report", name, "--home", str(home)]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert f"nothing was profiled of {name}" in done.stderr
