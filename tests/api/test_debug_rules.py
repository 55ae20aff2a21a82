"""DebugRuleConfigurations, read."""

import pytest

from sagehound.api.debug_rules import debug_rules
from sagehound.errors import InvalidInput, Unsupported
from sagehound.records.rules import ActionKind, DebugRule, RuleAction
from tests.api import requests

IMAGE = "503895931360.dkr.ecr.us-east-1.amazonaws.com/sagemaker-debugger-rules:latest"


def rule(name="VanishingGradient", image=IMAGE, **parameters):
    given = {"rule_to_invoke": name, **parameters}
    return {"RuleConfigurationName": name, "RuleEvaluatorImage": image, "RuleParameters": given}


def parsed(*rules):
    return debug_rules(requests.training(DebugRuleConfigurations=list(rules)))


def test_a_rule_as_the_sdk_sends_it():
    action = '{\\"training_job_prefix\\": \\"dogs\\", \\"name\\": \\"stoptraining\\"}'
    assert parsed(rule(threshold="0.1", action_json=action)) == (
        DebugRule(
            name="VanishingGradient",
            invoked="VanishingGradient",
            parameters={"threshold": "0.1"},
            output_uri=f"{requests.BUCKET}/",
            actions=(RuleAction(kind=ActionKind.STOP_TRAINING, target="dogs"),),
        ),
    )


def test_a_custom_rule_keeps_its_source():
    (found,) = parsed(
        rule("Mine", image="1.ecr/sagemaker-debugger-rule-evaluator:latest", source_s3_uri="s3://b-1/m.py")
    )
    assert (found.invoked, found.source_uri) == ("Mine", "s3://b-1/m.py")


def test_findings_go_where_the_rule_says():
    (found,) = parsed({**rule(), "S3OutputPath": "s3://other/place"})
    assert found.output_uri == "s3://other/place"


@pytest.mark.parametrize("name", ["TreeDepth", "FeatureImportanceOverweight", "CreateXgboostReport"])
def test_xgboosts_rules_are_refused_by_name(name):
    with pytest.raises(Unsupported, match=rf"{name}.*XGBoost"):
        parsed(rule(name))


def test_an_unknown_rule_is_answered_with_those_there_are():
    with pytest.raises(
        InvalidInput, match=r"'Vanishing', which is no built-in rule; there are AllZero, .*Rule\.custom"
    ):
        parsed(rule("Vanishing"))


def test_names_are_unique_and_at_most_20():
    with pytest.raises(InvalidInput, match="more than one rule 'Overfit'"):
        parsed(rule("Overfit"), rule("Overfit"))
    with pytest.raises(InvalidInput, match="21 rules; at most 20"):
        parsed(*({**rule(), "RuleConfigurationName": f"r{n}"} for n in range(21)))


@pytest.mark.parametrize("name", ["a/b", ".hidden", "two\nlines", "x" * 201, "é" * 101, "request"])
def test_a_name_that_is_no_folders_is_refused(name):
    with pytest.raises(InvalidInput, match="RuleConfigurationName"):
        parsed({**rule(), "RuleConfigurationName": name})


def test_an_image_of_ones_own_is_refused():
    item = {"RuleConfigurationName": "mine", "RuleEvaluatorImage": "1.ecr/my-rules:1", "RuleParameters": {}}
    with pytest.raises(Unsupported, match=r"my-rules:1.*Rule\.custom"):
        parsed(item)
    with pytest.raises(InvalidInput, match="no rule_to_invoke"):
        parsed({**item, "RuleEvaluatorImage": IMAGE})


def test_addresses_are_checked():
    with pytest.raises(InvalidInput, match="source_s3_uri of the rule 'Mine'"):
        parsed(rule("Mine", source_s3_uri="rules.py"))
    with pytest.raises(InvalidInput, match="S3OutputPath of the rule 'Overfit'"):
        parsed({**rule("Overfit"), "S3OutputPath": "https://x/y"})


def test_other_trials_are_one_parameter():
    (found,) = parsed(rule("SimilarAcrossRuns", other_trial_0="s3://b-1/a", other_trial_1="s3://b-1/b"))
    assert found.parameters == {"other_trials": "s3://b-1/a,s3://b-1/b"}


def test_the_names_are_those_of_the_debugger():
    from sagehound.api.rule_names import DOCUMENTED, OWN, XGBOOST
    from sagehound.debug.rules import registry

    assert sorted((*DOCUMENTED, *OWN)) == sorted(registry.RULES)
    assert sorted(XGBOOST) == sorted(registry.XGBOOST)
