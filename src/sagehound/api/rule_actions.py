"""What a rule is to do when it fires: the `action_json` of its parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sagehound.errors import InvalidInput, Unsupported
from sagehound.records.rules import ActionKind, RuleAction

_ALLOWED = "StopTraining(), Email(address)"
_STALLED = "StalledTrainingRule"


def rule_actions(name: str, parameters: Mapping[str, str]) -> tuple[RuleAction, ...]:
    """The actions of the rule `name`; InvalidInput where they cannot be read, Unsupported for SMS."""
    found = tuple(_action(name, item) for item in _items(name, parameters.get("action_json", "")))
    return found + _of_stalled(parameters)


def _of_stalled(parameters: Mapping[str, str]) -> tuple[RuleAction, ...]:
    """StalledTrainingRule has parameters of its own for what is an action elsewhere."""
    wanted = parameters.get("stop_training_on_fire", "").strip().lower() == "true"
    if not wanted or parameters.get("rule_to_invoke") not in (_STALLED, "StalledTraining"):
        return ()
    return (RuleAction(kind=ActionKind.STOP_TRAINING, target=parameters.get("training_job_name_prefix", "")),)


def _items(name: str, text: str) -> list[Any]:
    """The actions as dicts. The SDK sends JSON whose quotes are escaped once more."""
    if not text.strip():
        return []
    for candidate in (text, text.replace('\\"', '"')):
        with suppress(ValueError):
            read = json.loads(candidate)
            read = json.loads(read) if isinstance(read, str) else read
            return read if isinstance(read, list) else [read]
    raise InvalidInput(
        f"the action_json of the rule {name!r} is no JSON: {text[:200]!r}; use actions= of Rule.sagemaker"
    )


def _action(name: str, item: Any) -> RuleAction:  # noqa: ANN401
    kind = str(item.get("name", "")).lower() if isinstance(item, dict) else ""
    if kind == "stoptraining":
        return RuleAction(kind=ActionKind.STOP_TRAINING, target=str(item.get("training_job_prefix", "")))
    if kind == "email":
        return RuleAction(kind=ActionKind.EMAIL, target=_address(name, str(item.get("endpoint", ""))))
    if kind == "sms":
        raise Unsupported(
            f"the action SMS of the rule {name!r} is not supported by Sagehound; use Email, or have a message sent by "
            "what `sagehound up --webhook URL` calls"
        )
    raise InvalidInput(f"the rule {name!r} has an unknown action {item!r}; allowed are {_ALLOWED}")


def _address(name: str, address: str) -> str:
    local, at, host = address.strip().rpartition("@")
    if not (local and at and host) or any(character.isspace() for character in address.strip()):
        raise InvalidInput(f"the Email action of the rule {name!r} has the address {address!r}; write name@host")
    return address.strip()
