"""The profiler's rules by name, made from the parameters of a request."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import cast

from sagehound.errors import InvalidInput
from sagehound.profile.finding import Rule
from sagehound.profile.findings.profiler_report import ProfilerReport
from sagehound.watching.rule_parameters import fields_of

#: AWS's documented rules.
DOCUMENTED = {
    "BatchSize": "batch_size",
    "CPUBottleneck": "cpu_bottleneck",
    "GPUMemoryIncrease": "gpu_memory_increase",
    "IOBottleneck": "io_bottleneck",
    "LoadBalancing": "load_balancing",
    "LowGPUUtilization": "low_gpu_utilization",
    "MaxInitializationTime": "max_initialization_time",
    "OverallSystemUsage": "overall_system_usage",
    "OverallFrameworkMetrics": "overall_framework_metrics",
    "StepOutlier": "step_outlier",
    "Dataloader": "dataloader",
}
#: Rules beyond them: what training on CPUs needs.
BEYOND = {
    "LoaderBound": "loader_bound",
    "ThreadsOversubscribed": "threads_oversubscribed",
    "IdleCores": "idle_cores",
    "MemoryGrowth": "memory_growth",
    "EvaluationShare": "evaluation_share",
    "FirstStep": "first_step",
    "TinyOperators": "tiny_operators",
    "Precision": "precision",
    "MemoryFormat": "memory_format",
    "SyncEachStep": "sync_each_step",
}
_MODULES = {**DOCUMENTED, **BEYOND}
#: What the SDK and the guide add to a rule's parameters without the rule's need.
_NOT_THE_RULES = {"rule_to_invoke", "action_json", "base_trial"}


class _Rules(Mapping[str, type[Rule]]):
    """A rule's module is imported when the rule is asked for."""

    def __getitem__(self, name: str) -> type[Rule]:
        module = importlib.import_module(f"sagehound.profile.findings.{_MODULES[name]}")
        found: type[Rule] = getattr(module, name)
        return found

    def __contains__(self, name: object) -> bool:
        return name in _MODULES

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


#: Every rule's class by the name that `rule_to_invoke` has for it, but ProfilerReport's, which is all of them.
RULES: Mapping[str, type[Rule]] = _Rules()


def build(name: str, parameters: Mapping[str, str] | None = None) -> Rule:
    """The rule of that name with these parameters, as strings; what is not given has the documented default.

    ProfilerReport takes every rule's as `<Rule>_<parameter>`, the rule's name in upper or lower case. InvalidInput for
    an unknown name or parameter, or a value that is not allowed.

    >>> build("MaxInitializationTime", {"rule_to_invoke": "MaxInitializationTime", "threshold": "5"})
    MaxInitializationTime(threshold=5.0, scan_interval_us=60000000)
    >>> build("ProfilerReport", {"cpubottleneck_threshold": "90"}).rules[1].threshold
    90.0
    """
    given = {key: value for key, value in (parameters or {}).items() if key not in _NOT_THE_RULES}
    if name == ProfilerReport.name:
        return _report(given)
    if name not in RULES:
        known = ", ".join((ProfilerReport.name, *RULES))
        raise InvalidInput(f"there is no profiler rule {name!r}{_like(name)}; there are {known}")
    return RULES[name](**fields_of(RULES[name], name, given, lowest=0))


def _report(given: Mapping[str, str]) -> ProfilerReport:
    by_rule: dict[str, dict[str, str]] = {name: {} for name in RULES}
    own: dict[str, str] = {}
    for key, value in given.items():
        if key == "scan_interval_us":
            own[key] = value
        else:
            rule, parameter = _addressed(key)
            by_rule[rule][parameter] = value
    scan = fields_of(ProfilerReport, ProfilerReport.name, own, lowest=0)
    rules = tuple(build(name, parameters) for name, parameters in by_rule.items())
    return ProfilerReport(rules=rules, **scan)


def _addressed(key: str) -> tuple[str, str]:
    """The rule and the parameter that `<Rule>_<parameter>` names."""
    rule, _, parameter = key.partition("_")
    by_lower = {name.lower(): name for name in RULES}
    if not parameter or rule.lower() not in by_lower:
        raise InvalidInput(
            f"the rule {ProfilerReport.name} has no parameter {key!r}; its parameters are <Rule>_<parameter>, "
            f"with the rules {', '.join(RULES)}"
        )
    name = by_lower[rule.lower()]
    by_lower = {each.name.lower(): each.name for each in fields(cast("type", RULES[name]))}
    return name, by_lower.get(parameter.lower(), parameter)


def _like(name: str) -> str:
    by_lower = {known.lower(): known for known in (ProfilerReport.name, *RULES)}
    close = get_close_matches(name.lower().replace("_", ""), by_lower, n=1)
    return f" (did you mean {by_lower[close[0]]}?)" if close else ""
