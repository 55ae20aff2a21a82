"""The one role."""

import json
from dataclasses import replace
from urllib.parse import unquote

import pytest

from sagehound.api.iam import get_role
from sagehound.errors import NotFound
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
