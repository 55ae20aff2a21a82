"""Actions of rules, read."""

import pytest

from sagehound.api.rule_actions import rule_actions
from sagehound.errors import InvalidInput, Unsupported
from sagehound.records.rules import ActionKind, RuleAction

STOP = RuleAction(kind=ActionKind.STOP_TRAINING, target="dogs")
MAIL = RuleAction(kind=ActionKind.EMAIL, target="me@here.org")


def test_as_the_sdk_writes_them():
    stop = r"{\"training_job_prefix\": \"dogs\", \"name\": \"stoptraining\"}"
    mail = r"{\"endpoint\": \"me@here.org\", \"name\": \"email\"}"
    text = f"[{stop}, {mail}]"
    assert rule_actions("r", {"action_json": text}) == (STOP, MAIL)


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "StopTraining", "training_job_prefix": "dogs"}',
        r'"{\"name\": \"stoptraining\", \"training_job_prefix\": \"dogs\"}"',
    ],
)
def test_as_plain_json(text):
    assert rule_actions("r", {"action_json": text}) == (STOP,)


def test_none():
    assert rule_actions("r", {}) == rule_actions("r", {"action_json": " "}) == ()


def test_a_stalled_training_has_parameters_of_its_own():
    wanted = {
        "rule_to_invoke": "StalledTrainingRule",
        "stop_training_on_fire": "True",
        "training_job_name_prefix": "dogs",
    }
    assert rule_actions("r", wanted) == (STOP,)
    assert rule_actions("r", {**wanted, "stop_training_on_fire": "False"}) == ()


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ('{"name": "sms", "endpoint": "+1"}', Unsupported, "SMS of the rule 'r' is not supported"),
        ('{"name": "fax"}', InvalidInput, r"unknown action .*allowed are StopTraining\(\), Email\(address\)"),
        ("[1]", InvalidInput, "unknown action 1"),
        ("{oops", InvalidInput, "is no JSON"),
        ('{"name": "email", "endpoint": "me"}', InvalidInput, "address 'me'; write name@host"),
    ],
)
def test_what_cannot_be_done_is_refused(text, error, said):
    with pytest.raises(error, match=said):
        rule_actions("r", {"action_json": text})
