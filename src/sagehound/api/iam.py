"""The one role of a home, which may do everything."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from sagehound.api.context import Context
from sagehound.api.sts import ROLE
from sagehound.errors import NotFound, Unsupported

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}

_POLICIES = ("PolicyInputList", "PermissionsBoundaryPolicyInputList", "ResourcePolicy")


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


def simulate_principal_policy(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """That the role may do each action on each resource: whoever has the home's keys may do everything here.

    NotFound for any other principal; Unsupported where policies of the request's own are to be tried, as none are
    looked at here.
    """
    arn = f"arn:aws:iam::{context.settings.account}:role/{ROLE}"
    if request["PolicySourceArn"] != arn:
        raise NotFound(f"Entity {request['PolicySourceArn']} does not exist; the only role here is {arn}.")
    unknown = [name for name in _POLICIES if request.get(name)]
    if unknown:
        raise Unsupported(f"SimulatePrincipalPolicy: {unknown[0]} is not supported: there are no policies here")
    results = [
        {"EvalActionName": action, "EvalResourceName": resource, "EvalDecision": "allowed", "MissingContextValues": []}
        for action in request["ActionNames"]
        for resource in request.get("ResourceArns") or ["*"]
    ]
    return {"EvaluationResults": results, "IsTruncated": False}
