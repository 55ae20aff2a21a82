"""What requests and environments ask of the debugger."""

import pytest

from sagehound.api.debugging import debugging, with_debugging
from sagehound.errors import InvalidInput
from sagehound.records.rules import ActionKind
from tests.api import requests

PLAIN = {"S3OutputPath": f"{requests.BUCKET}/", "CollectionConfigurations": []}


def spec(**changes):
    return debugging(with_debugging(requests.training(**changes)))


def test_the_hook_that_comes_with_every_job_saves_only_what_the_script_registers():
    found = spec()
    assert found["debug_hook"] == {**PLAIN, "LocalPath": "/opt/ml/output/tensors"}
    assert (found["tensors_uri"], found["auto_hook"], found["rules"]) == (f"{requests.BUCKET}/", False, ())


@pytest.mark.parametrize(
    "asked", [{"HookParameters": {"save_interval": "10"}}, {"CollectionConfigurations": [{"CollectionName": "losses"}]}]
)
def test_a_hook_that_names_tensors_needs_no_line_in_the_script(asked):
    assert spec(DebugHookConfig={**PLAIN, **asked})["auto_hook"]


def test_tensorboard():
    found = spec(TensorBoardOutputConfig={"S3OutputPath": "s3://board/a", "LocalPath": "/opt/ml/output/tb"})
    assert (found["tensorboard_uri"], found["tensorboard_path"]) == ("s3://board/a", "/opt/ml/output/tb")


@pytest.mark.parametrize("path", ["/tmp/tensors", "tensors", "/opt/ml", "/opt/ml/../x"])
def test_a_local_path_outside_opt_ml_is_refused(path):
    with pytest.raises(InvalidInput, match=r"DebugHookConfig.LocalPath .* must be a folder in /opt/ml"):
        spec(DebugHookConfig={**PLAIN, "LocalPath": path})


@pytest.mark.parametrize("path", ["/opt/ml/model", "/opt/ml/input/config", "/opt/ml/input", "/opt/ml/output"])
def test_a_local_path_that_holds_other_files_is_refused(path):
    with pytest.raises(InvalidInput, match=r"DebugHookConfig.LocalPath .* holds other files of the job"):
        spec(DebugHookConfig={**PLAIN, "LocalPath": path})


def test_rules_named_in_the_environment():
    request = with_debugging(requests.training(Environment={"SAGEHOUND_DEBUG_RULES": "Overfit, LossNotFinite:stop"}))
    overfit, stopping = debugging(request)["rules"]
    assert (overfit.invoked, overfit.actions) == ("Overfit", ())
    assert [(action.kind, action.target) for action in stopping.actions] == [(ActionKind.STOP_TRAINING, "")]
    assert request["DebugHookConfig"]["HookParameters"] == {"save_interval": "50"}
    assert "gradients" in str(request["DebugHookConfig"]["CollectionConfigurations"])


def test_a_rule_with_tensors_of_its_own_gets_them_saved():
    hook = with_debugging(requests.training(Environment={"SAGEHOUND_DEBUG_RULES": "DeadRelu"}))["DebugHookConfig"]
    assert hook["CollectionConfigurations"][-1] == {
        "CollectionName": "relu_output",
        "CollectionParameters": {"include_regex": ".*relu_output"},
    }


def test_rules_and_hook_as_json_in_the_environment():
    found = spec(
        Environment={
            "SAGEHOUND_DEBUG_RULES": '[{"RuleConfigurationName": "Overfit", "RuleParameters": {"patience": 3}}]',
            "SAGEHOUND_DEBUG_HOOK": '{"HookParameters": {"save_interval": "5"}}',
        }
    )
    assert found["rules"][0].parameters == {"patience": "3"}
    assert found["debug_hook"]["HookParameters"] == {"save_interval": "5"}
    assert found["debug_hook"]["S3OutputPath"] == f"{requests.BUCKET}/"


def test_what_was_sent_as_fields_comes_first():
    sent = [{"RuleConfigurationName": "o", "RuleEvaluatorImage": "", "RuleParameters": {"rule_to_invoke": "Overfit"}}]
    request = requests.training(DebugRuleConfigurations=sent, Environment={"SAGEHOUND_DEBUG_RULES": "Labels"})
    assert [rule.invoked for rule in debugging(with_debugging(request))["rules"]] == ["Overfit"]
    assert with_debugging(request)["DebugHookConfig"] == PLAIN


def test_a_trial_gets_its_tuning_jobs_rules():
    from sagehound.api.tuning_spec import tuning_spec

    request = requests.tuning()
    request["TrainingJobDefinition"]["Environment"] = {"SAGEHOUND_DEBUG_RULES": "LossNotFinite:stop"}
    asked = tuning_spec(request)
    assert [rule.name for rule in asked.training.rules] == ["LossNotFinite"]
    assert asked.training.tensors_uri
    assert (
        asked.definitions[0].training_document["DebugRuleConfigurations"][0]["RuleConfigurationName"] == "LossNotFinite"
    )


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("SAGEHOUND_DEBUG_RULES", "Overfit:mail", "only ':stop' is allowed"),
        ("SAGEHOUND_DEBUG_RULES", "[{]", "is no JSON"),
        ("SAGEHOUND_DEBUG_RULES", '["Overfit"]', "needs a RuleConfigurationName"),
        ("SAGEHOUND_DEBUG_RULES", "Nothing", "no built-in rule"),
        ("SAGEHOUND_DEBUG_HOOK", "[]", "must be a JSON object"),
        ("SAGEHOUND_DEBUG_HOOK", '{"Interval": 1}', "must be a JSON object with some of CollectionConfigurations"),
    ],
)
def test_what_cannot_be_read_is_refused(name, text, said):
    with pytest.raises(InvalidInput, match=said):
        spec(Environment={name: text})
