"""The one role."""

import json
from dataclasses import replace
from urllib.parse import unquote

import pytest

from sagehound.api.iam import get_role, simulate_principal_policy
from sagehound.errors import NotFound, Unsupported
from sagehound.keys import load_keys
from tests.api.conftest import NOW


def test_the_role_of_the_caller(context):
    role = get_role({"RoleName": "sagehound"}, context)["Role"]
    assert role["Arn"] == "arn:aws:iam::000000000000:role/sagehound"
    assert role["CreateDate"] == NOW
    assert json.loads(unquote(role["AssumeRolePolicyDocument"]))["Version"] == "2012-10-17"


def test_it_was_made_with_the_home_s_keys(context):
    keys = load_keys(context.settings.home)
    role = get_role({"RoleName": "sagehound"}, replace(context, keys=keys))["Role"]
    assert role["CreateDate"] == (context.settings.home / "keys.json").stat().st_mtime
    assert 16 <= len(role["RoleId"]) <= 128


def test_there_is_no_other(context):
    with pytest.raises(NotFound, match="The role with name admin cannot be found"):
        get_role({"RoleName": "admin"}, context)


def test_the_role_may_do_everything(context):
    request = {"PolicySourceArn": "arn:aws:iam::000000000000:role/sagehound", "ActionNames": ["s3:GetObject", "ecr:X"]}
    found = simulate_principal_policy(request, context)["EvaluationResults"]
    assert [(result["EvalActionName"], result["EvalDecision"]) for result in found] == [
        ("s3:GetObject", "allowed"),
        ("ecr:X", "allowed"),
    ]
    found = simulate_principal_policy({**request, "ResourceArns": ["arn:a", "arn:b"]}, context)["EvaluationResults"]
    assert [result["EvalResourceName"] for result in found] == ["arn:a", "arn:b", "arn:a", "arn:b"]


def test_what_is_simulated_is_the_one_role_and_no_policy(context):
    with pytest.raises(NotFound, match="role/admin does not exist"):
        simulate_principal_policy({"PolicySourceArn": "arn:aws:iam::1:role/admin", "ActionNames": ["s3:X"]}, context)
    request = {"PolicySourceArn": "arn:aws:iam::000000000000:role/sagehound", "ActionNames": ["s3:X"]}
    with pytest.raises(Unsupported, match="PolicyInputList"):
        simulate_principal_policy({**request, "PolicyInputList": ["{}"]}, context)
