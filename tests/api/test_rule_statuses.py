"""Rules in DescribeTrainingJob."""

from sagehound.names import evaluation_name
from sagehound.records.rules import RuleEvaluation, RuleStatus
from tests.api import requests
from tests.api.conftest import NOW

NAME = "dog-2026-11-22"


def described(call, *rules, **changes):
    listed = [
        {"RuleConfigurationName": r, "RuleEvaluatorImage": "", "RuleParameters": {"rule_to_invoke": r}} for r in rules
    ]
    call("CreateTrainingJob", **requests.training(DebugRuleConfigurations=listed, **changes))
    return call("DescribeTrainingJob", TrainingJobName=NAME)


def test_a_rule_that_nobody_took_up_yet_is_in_progress(call):
    (status,) = described(call, "Overfit")["DebugRuleEvaluationStatuses"]
    arn = status.pop("RuleEvaluationJobArn")
    assert arn.startswith("arn:aws:sagemaker:us-east-1:000000000000:processing-job/dog-2026-11-22-Overfit-")
    assert status == {"RuleConfigurationName": "Overfit", "RuleEvaluationStatus": "InProgress", "LastModifiedTime": NOW}


def test_statuses_come_in_the_requests_order_with_details_of_one_line(call, context):
    described(call, "Overfit", "AllZero")
    for rule, details in (("AllZero", "no\nreason"), ("Overfit", "x" * 2000)):
        name = evaluation_name(NAME, rule)
        found = RuleEvaluation(name=name, created_at=NOW, modified_at=NOW + 5, arn="arn", parent=NAME, rule=rule)
        context.store.insert(found.evolve(status=RuleStatus.ERROR, details=details))
    overfit, zero = call("DescribeTrainingJob", TrainingJobName=NAME)["DebugRuleEvaluationStatuses"]
    assert (overfit["RuleConfigurationName"], len(overfit["StatusDetails"])) == ("Overfit", 1024)
    assert (zero["StatusDetails"], zero["RuleEvaluationStatus"], zero["LastModifiedTime"]) == (
        "no reason",
        "Error",
        NOW + 5,
    )
