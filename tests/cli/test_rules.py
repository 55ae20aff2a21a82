"""`sagehound rules`, but for the job itself (tests/sdk/test_debugger.py has one)."""

from datetime import UTC, datetime

from sagehound.cli import rules

JOB = {
    "TrainingJobName": "dogs",
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out/"},
    "DebugRuleConfigurations": [
        {"RuleConfigurationName": "Overfit"},
        {"RuleConfigurationName": "Mine", "S3OutputPath": "s3://other"},
    ],
}
FINDING = {"rule": "Overfit", "step": 3, "message": "it broke", "why": "because", "change": "this"}


def test_where_findings_are():
    assert str(rules.findings_place(JOB, "Overfit")) == "s3://bucket/out/dogs/rule-output/Overfit/findings.json"
    assert str(rules.findings_place(JOB, "Mine")) == "s3://other/dogs/rule-output/Mine/findings.json"


def test_what_a_rules_actions_did_is_printed(capsys):
    details = (
        "RuleEvaluationConditionMet: it broke StopTraining stopped the training job dogs. Email: sent to me@x.org."
    )
    rules._say_details({"rule": "Overfit", "status": "IssuesFound", "details": details, "findings": [FINDING]})
    said = "\nOverfit: StopTraining stopped the training job dogs. Email: sent to me@x.org.\n"
    assert capsys.readouterr().out == said


def test_a_rule_without_findings_gives_its_reason(capsys):
    rules._say_details({"rule": "Overfit", "status": "Error", "details": "no losses were saved", "findings": []})
    assert capsys.readouterr().out == "\nOverfit: no losses were saved\n"


def test_a_row_counts_what_was_found():
    one = {"rule": "Overfit", "status": "IssuesFound", "updated_at": datetime.now(UTC), "findings": [FINDING]}
    assert rules._row(one)[:2] == ("Overfit", "IssuesFound")
    assert rules._row(one)[3] == "1"


def test_without_a_service_it_says_what_to_do(sagehound):
    result = sagehound("rules", "dogs")
    assert result.exit_code == 1
    assert "sagehound up" in result.stderr
