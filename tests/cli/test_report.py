"""Where a job's report is looked for; tests/sdk/test_profiler.py fetches and writes some."""

from sagehound.cli.report import report_places, tensors_place

JOB = {"TrainingJobName": "dogs", "OutputDataConfig": {"S3OutputPath": "s3://bucket/out/"}}


def rule(name, invoked, **options):
    return {"RuleConfigurationName": name, "RuleParameters": {"rule_to_invoke": invoked}, **options}


def test_only_report_rules_have_reports_and_each_may_have_its_own_place():
    rules = [
        rule("BatchSize", "BatchSize"),
        rule("ProfilerReport-1795389342", "ProfilerReport"),
        rule("Mine", "ProfilerReport", S3OutputPath="s3://other/place"),
    ]
    assert [str(place) for place in report_places({**JOB, "ProfilerRuleConfigurations": rules})] == [
        "s3://bucket/out/dogs/rule-output/ProfilerReport-1795389342/profiler-output/profiler-report.html",
        "s3://other/place/dogs/rule-output/Mine/profiler-output/profiler-report.html",
    ]
    assert list(report_places(JOB)) == []


def test_the_debuggers_tensors_are_where_its_hook_was_told_to_put_them():
    assert (
        tensors_place({**JOB, "DebugHookConfig": {"S3OutputPath": "s3://bucket/t"}})
        == "s3://bucket/t/dogs/debug-output"
    )
    assert tensors_place(JOB) is None
