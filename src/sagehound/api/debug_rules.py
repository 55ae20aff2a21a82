"""From DebugRuleConfigurations to rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sagehound.api.rule_actions import rule_actions
from sagehound.api.rule_names import DOCUMENTED, OWN, XGBOOST
from sagehound.errors import InvalidInput, Unsupported
from sagehound.names import S3Uri
from sagehound.records.rules import DebugRule

MAX_RULES = 20
_IMAGES = "sagemaker-debugger-rule"
_LONGEST_NAME = 200  # bytes: file systems take 255, and an ending is added
_RESERVED = "request"  # the evaluator's own file
#: What is read here and is no parameter of the rule itself.
_OURS = ("rule_to_invoke", "source_s3_uri", "action_json", "stop_training_on_fire", "training_job_name_prefix")


def debug_rules(request: Mapping[str, Any]) -> tuple[DebugRule, ...]:
    """The rules of a CreateTrainingJob request; InvalidInput, naming the rule, where one can never run."""
    listed = request.get("DebugRuleConfigurations", [])
    if len(listed) > MAX_RULES:
        raise InvalidInput(f"DebugRuleConfigurations has {len(listed)} rules; at most {MAX_RULES} are allowed")
    output = request["OutputDataConfig"]["S3OutputPath"]
    rules = tuple(_rule(item, output) for item in listed)
    twice = [name for name, count in Counter(rule.name for rule in rules).items() if count > 1]
    if twice:
        raise InvalidInput(
            f"DebugRuleConfigurations has more than one rule {twice[0]!r}; every RuleConfigurationName must be unique: "
            "give the second one another with name="
        )
    return rules


def _rule(item: Mapping[str, Any], output: str) -> DebugRule:
    name, parameters = check_name(item["RuleConfigurationName"]), dict(item.get("RuleParameters", {}))
    source, invoked = parameters.get("source_s3_uri", ""), parameters.get("rule_to_invoke", "")
    image = item.get("RuleEvaluatorImage", "").rsplit("/", 1)[-1]
    if not invoked:
        _refuse_without_name(name, image)
    if source:
        check_uri(f"the source_s3_uri of the rule {name!r}:", source)
    else:
        invoked = _built_in(name, invoked)
    place = item.get("S3OutputPath") or output
    check_uri(f"the S3OutputPath of the rule {name!r}:", place)
    return DebugRule(
        name=name,
        invoked=invoked,
        parameters=_own(parameters),
        source_uri=source,
        output_uri=place,
        actions=rule_actions(name, parameters),
    )


def _own(parameters: Mapping[str, str]) -> dict[str, str]:
    """The rule's own parameters. The SDK numbers other trials, other_trial_0 and so on, which the rule knows as one."""
    trials = [value for key, value in parameters.items() if key.startswith("other_trial_")]
    own = {k: v for k, v in parameters.items() if k not in _OURS and not k.startswith("other_trial_")}
    return own | ({"other_trials": ",".join(trials)} if trials else {})


def check_name(name: str) -> str:
    """A RuleConfigurationName; InvalidInput where it cannot be a folder's."""
    if "/" in name or not name.isprintable() or name.startswith(".") or len(name.encode()) > _LONGEST_NAME:
        raise InvalidInput(
            f"the RuleConfigurationName {name[:80]!r} becomes a folder's: leave out '/', do not begin with '.', "
            f"and use at most {_LONGEST_NAME} printable characters (in UTF-8, bytes)"
        )
    if name == _RESERVED:
        raise InvalidInput(f"the RuleConfigurationName {name!r} is taken by a file of the evaluation; give another")
    return name


def _refuse_without_name(name: str, image: str) -> None:
    if image and not image.startswith(_IMAGES):
        raise Unsupported(
            f"the rule {name!r} runs in the image {image!r}, which is not run here; send the class's file with "
            "Rule.custom(source=..., rule_to_invoke=...)"
        )
    raise InvalidInput(
        f"the rule {name!r} has no rule_to_invoke in its RuleParameters; name a built-in rule, e.g. VanishingGradient, "
        "or a class of your own with source_s3_uri"
    )


def _built_in(name: str, invoked: str) -> str:
    if invoked in XGBOOST:
        raise Unsupported(f"the rule {name!r} ({invoked}) judges XGBoost models, which do not run here; leave it out")
    known = {rule.lower(): rule for rule in (*DOCUMENTED, *OWN)} | {"stalledtraining": "StalledTrainingRule"}
    if invoked.lower() not in known:
        raise InvalidInput(
            f"the rule {name!r} asks for {invoked!r}, which is no built-in rule; there are "
            f"{', '.join(sorted((*DOCUMENTED, *OWN)))}; for one of your own send source_s3_uri (Rule.custom)"
        )
    return known[invoked.lower()]


def check_uri(field: str, text: str) -> None:
    """InvalidInput, beginning with `field`, where `text` is no S3 address."""
    try:
        S3Uri.parse(text)
    except InvalidInput as error:
        raise InvalidInput(f"{field} {error}") from None
