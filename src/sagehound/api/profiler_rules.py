"""From ProfilerRuleConfigurations to rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sagehound.api.debug_rules import MAX_RULES, check_name, check_uri
from sagehound.api.rule_actions import rule_actions
from sagehound.api.rule_names import PROFILER_DOCUMENTED, PROFILER_OWN
from sagehound.errors import InvalidInput, Unsupported
from sagehound.records.rules import DebugRule

_DEEP = "DetailedProfilerProcessingJobConfig"
#: What is read here and is no parameter of the rule itself.
_OURS = ("rule_to_invoke", "action_json")


def profiler_rules(listed: Sequence[Mapping[str, Any]], output: str, taken: Sequence[str]) -> tuple[DebugRule, ...]:
    """The rules that a request lists; InvalidInput or Unsupported, naming the rule, where one can never run.

    `output` is where they write unless they say otherwise, `taken` the names of the job's other rules.
    """
    if len(listed) > MAX_RULES:
        raise InvalidInput(f"ProfilerRuleConfigurations has {len(listed)} rules; at most {MAX_RULES} are allowed")
    rules = tuple(_rule(item, output) for item in listed)
    counts = Counter([*taken, *(rule.name for rule in rules)])
    twice = [rule.name for rule in rules if counts[rule.name] > 1]
    if twice:
        raise InvalidInput(
            f"ProfilerRuleConfigurations has the name {twice[0]!r}, which another rule of the job has too; every "
            "RuleConfigurationName must be unique: give one of them another with name="
        )
    return rules


def _rule(item: Mapping[str, Any], output: str) -> DebugRule:
    name, parameters = check_name(item["RuleConfigurationName"]), dict(item.get("RuleParameters", {}))
    if parameters.get("source_s3_uri"):
        raise Unsupported(
            f"the profiler's rule {name!r} has a source of its own (ProfilerRule.custom), which is not run here; use "
            "a built-in rule with ProfilerRule.sagemaker, or a Rule.custom of the debugger"
        )
    place = item.get("S3OutputPath") or output
    check_uri(f"the S3OutputPath of the rule {name!r}:", place)
    return DebugRule(
        name=name,
        invoked=_invoked(name, parameters.get("rule_to_invoke", "")),
        parameters={key: value for key, value in parameters.items() if key not in _OURS},
        output_uri=place,
        actions=rule_actions(name, parameters),
    )


def _invoked(name: str, asked: str) -> str:
    if asked == _DEEP:
        raise Unsupported(
            f"the rule {name!r} belongs to SageMaker Profiler (profile_params=), which is not here; use "
            "framework_profile_params=FrameworkProfile() of ProfilerConfig"
        )
    known = {rule.lower(): rule for rule in (*PROFILER_DOCUMENTED, *PROFILER_OWN)}
    if asked.lower() not in known:
        what = f"asks for {asked!r}, which is no rule of the profiler" if asked else "has no rule_to_invoke"
        raise InvalidInput(f"the rule {name!r} {what}; there are {', '.join(sorted(known.values()))}")
    return known[asked.lower()]
