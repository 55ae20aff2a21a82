"""What a request asks of the debugger: the hook, the rules, TensorBoard.

A tuning job's definition has no fields for them, and the SDK drops the estimator's. Two variables of the job's
`Environment`, which the SDK does send, say it instead; they hold for any job whose request has no such field:

    SAGEHOUND_DEBUG_RULES   names, "VanishingGradient, LossNotFinite:stop" (`:stop` is the action StopTraining), or
                            the JSON list of DebugRuleConfigurations
    SAGEHOUND_DEBUG_HOOK    the JSON object of DebugHookConfig; S3OutputPath may be left out
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from sagehound.api.debug_rules import debug_rules
from sagehound.errors import InvalidInput
from sagehound.names import S3Uri

RULES_VARIABLE, HOOK_VARIABLE = "SAGEHOUND_DEBUG_RULES", "SAGEHOUND_DEBUG_HOOK"
#: Where a job's other files are: everything in a LocalPath is uploaded, and a hook starts with an empty one.
_TAKEN = tuple(
    PurePosixPath("/opt/ml", each) for each in ("model", "code", "checkpoints", "output", "output/data", "input")
)
_TENSORS, _TENSORBOARD = "/opt/ml/output/tensors", "/opt/ml/output/tensorboard"
#: What most rules look at, for a job that names rules and no tensors; and what some look at beside that, with the
#: regular expression by which the SDK asks for it.
_COLLECTIONS = ("losses", "gradients", "weights", "biases")
_FURTHER = {
    "DeadRelu": ("relu_output", ".*relu_output"),
    "PoorWeightInitialization": ("relu_input", ".*relu_input"),
    "SaturatedActivation": ("activation_input", ".*activation_input"),
    "CheckInputImages": ("input_image", ".*hybridsequential0_input_0"),
    "NLPSequenceRatio": ("input_sequence", ".*embedding0_input_0"),
    "ClassImbalance": ("loss_input", "[Ll]oss_input"),
    "Confusion": ("loss_input", "[Ll]oss_input"),
}
_INTERVAL = "50"
_HOOK_FIELDS = frozenset({"S3OutputPath", "LocalPath", "HookParameters", "CollectionConfigurations"})


def with_debugging(request: dict[str, Any]) -> dict[str, Any]:
    """The request with the fields that its environment stands for; a field that was sent is left as it is."""
    environment = request.get("Environment", {})
    sent = request.get("DebugRuleConfigurations", [])
    rules = sent or _rules(environment.get(RULES_VARIABLE, ""))
    hook = dict(request.get("DebugHookConfig", {}))
    if not _asks(hook) and HOOK_VARIABLE in environment:
        hook |= _object(environment[HOOK_VARIABLE])
    if rules and not _asks(hook) and not (sent and hook):
        hook |= {"HookParameters": {"save_interval": _INTERVAL}, "CollectionConfigurations": _collections(rules)}
    if hook:
        hook = {"S3OutputPath": request["OutputDataConfig"]["S3OutputPath"], **hook}
    fields = {"DebugRuleConfigurations": rules, "DebugHookConfig": hook}
    return {**request, **{name: value for name, value in fields.items() if value}}


def debugging(request: dict[str, Any]) -> dict[str, Any]:
    """The fields of a TrainingSpec that are the debugger's; InvalidInput where they can never work."""
    rules, hook = debug_rules(request), request.get("DebugHookConfig", {})
    board = request.get("TensorBoardOutputConfig", {})
    spec: dict[str, Any] = {"rules": rules}
    spec["auto_hook"] = bool(rules or _asks(hook))
    if hook:
        path = _local("DebugHookConfig.LocalPath", hook.get("LocalPath") or _TENSORS, _TENSORS)
        uri = _uri("DebugHookConfig.S3OutputPath", hook["S3OutputPath"])
        spec |= {"debug_hook": {**hook, "LocalPath": path}, "tensors_path": path, "tensors_uri": uri}
    if board:
        path = _local("TensorBoardOutputConfig.LocalPath", board.get("LocalPath") or _TENSORBOARD, _TENSORBOARD)
        uri = _uri("TensorBoardOutputConfig.S3OutputPath", board["S3OutputPath"])
        spec |= {"tensorboard": {**board, "LocalPath": path}, "tensorboard_path": path, "tensorboard_uri": uri}
    return spec


def _rules(text: str) -> list[dict[str, Any]]:
    if text.lstrip().startswith("["):
        return [_configuration(item) for item in _json(RULES_VARIABLE, text)]
    found = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        name, _, action = word.partition(":")
        if action.strip().lower() not in ("", "stop"):
            raise InvalidInput(f"{RULES_VARIABLE} has {word!r}; behind a rule's name only ':stop' is allowed")
        does = {"action_json": '[{"name": "stoptraining"}]'} if action else {}
        found.append(_configuration({"RuleConfigurationName": name.strip(), "RuleParameters": does}))
    return found


def _configuration(item: Any) -> dict[str, Any]:  # noqa: ANN401
    """A DebugRuleConfiguration; a name alone is that of a built-in rule."""
    if not isinstance(item, dict) or not item.get("RuleConfigurationName"):
        raise InvalidInput(f"{RULES_VARIABLE} has {item!r}; every rule needs a RuleConfigurationName")
    name = str(item["RuleConfigurationName"])
    parameters = {str(key): str(value) for key, value in item.get("RuleParameters", {}).items()}
    return {"RuleEvaluatorImage": "", **item, "RuleParameters": {"rule_to_invoke": name, **parameters}}


def _collections(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the rules look at."""
    invoked = [rule.get("RuleParameters", {}).get("rule_to_invoke", "") for rule in rules]
    further = dict(_FURTHER[name] for name in invoked if name in _FURTHER)
    return [{"CollectionName": name} for name in _COLLECTIONS] + [
        {"CollectionName": name, "CollectionParameters": {"include_regex": regex}} for name, regex in further.items()
    ]


def _asks(hook: Mapping[str, Any]) -> bool:
    """Whether it names tensors: the SDK sends one that does not with every job."""
    return bool(hook.get("HookParameters") or hook.get("CollectionConfigurations"))


def _object(text: str) -> dict[str, Any]:
    given = _json(HOOK_VARIABLE, text)
    if not isinstance(given, dict) or given.keys() - _HOOK_FIELDS:
        raise InvalidInput(
            f"{HOOK_VARIABLE} must be a JSON object with some of {', '.join(sorted(_HOOK_FIELDS))}; "
            f"it is {text[:200]!r}"
        )
    return given


def _json(variable: str, text: str) -> Any:  # noqa: ANN401
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"{variable} is no JSON ({error}): {text[:200]!r}") from None


def _local(field: str, path: str, default: str) -> str:
    place = PurePosixPath(path)
    if ".." in place.parts or not place.is_relative_to("/opt/ml") or len(place.parts) < 4:
        raise InvalidInput(f"{field} {path!r} must be a folder in /opt/ml, e.g. {default}; or leave it out")
    if place in _TAKEN or place.is_relative_to(_TAKEN[-1]):
        raise InvalidInput(f"{field} {path!r} holds other files of the job; give a folder of its own, e.g. {default}")
    return str(place)


def _uri(field: str, text: str) -> str:
    try:
        S3Uri.parse(text)
    except InvalidInput as error:
        raise InvalidInput(f"{field} {error}") from None
    return text
