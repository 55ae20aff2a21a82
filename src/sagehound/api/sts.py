"""Who the caller is."""

from __future__ import annotations

from typing import Any

from sagehound.api.context import Context

#: The role that every caller has assumed, and that get_execution_role() of the SDK finds.
ROLE = "sagehound"


def get_caller_identity(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """The holder of the home's keys, as a session of its one role."""
    account = context.settings.account
    return {
        "UserId": f"{context.keys.access_key}:{ROLE}",
        "Account": account,
        "Arn": f"arn:aws:sts::{account}:assumed-role/{ROLE}/{ROLE}",
    }
