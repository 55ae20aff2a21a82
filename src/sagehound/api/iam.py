"""The one role of a home."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from sagehound.api.context import Context
from sagehound.api.sts import ROLE
from sagehound.errors import NotFound

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def get_role(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """The role that GetCallerIdentity names; it was made with the home's keys. NotFound for any other."""
    name = request.get("RoleName", ROLE)
    if name != ROLE:
        raise NotFound(f"The role with name {name} cannot be found; the only role here is {ROLE}.")
    keys = context.settings.home / "keys.json"
    role = {
        "Path": "/",
        "RoleName": ROLE,
        "RoleId": f"AROA{context.keys.access_key[4:]}",
        "Arn": f"arn:aws:iam::{context.settings.account}:role/{ROLE}",
        "CreateDate": keys.stat().st_mtime if keys.exists() else context.clock(),
        "AssumeRolePolicyDocument": quote(json.dumps(_TRUST)),
        "MaxSessionDuration": 3600,
    }
    return {"Role": role}
