"""What DescribeTrainingJob shows of a job's rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sagehound.api.context import Context
from sagehound.names import Arn, evaluation_name
from sagehound.records.rules import DebugRule, RuleEvaluation, RuleStatus
from sagehound.records.training import TrainingJob
from sagehound.store.store import Query, every

_LONGEST_DETAILS = 1024


def rule_statuses(job: TrainingJob, context: Context) -> dict[str, Any]:
    """The statuses of the debugger's and of the profiler's rules, in the request's order; none where it has none."""
    if not job.spec.all_rules:
        return {}
    there = {found.rule: found for found in every(context.store, RuleEvaluation, Query(group=job.name))}

    def statuses(rules: Iterable[DebugRule]) -> list[dict[str, Any]] | None:
        return [_status(job, rule.name, there.get(rule.name)) for rule in rules] or None

    return {
        "DebugRuleEvaluationStatuses": statuses(job.spec.rules),
        "ProfilerRuleEvaluationStatuses": statuses(job.spec.profiler_rules),
    }


def _status(job: TrainingJob, rule: str, found: RuleEvaluation | None) -> dict[str, Any]:
    """One rule's; `found` None where the service has not taken it up yet."""
    status = found.status if found else RuleStatus.IN_PROGRESS
    outcome = f" {found.outcome}" if found and found.outcome else ""
    details = _cut(found.details if found else "", _LONGEST_DETAILS - len(outcome)) + outcome
    return _entry(job, rule, status, details, found.modified_at if found else job.created_at)


def _entry(job: TrainingJob, rule: str, status: RuleStatus, details: str, modified_at: float) -> dict[str, Any]:
    arn = Arn.parse(job.arn)
    return {
        "RuleConfigurationName": rule,
        "RuleEvaluationJobArn": str(
            Arn(arn.service, arn.region, arn.account, "processing-job", evaluation_name(job.name, rule))
        ),
        "RuleEvaluationStatus": status,
        "StatusDetails": _cut(details, _LONGEST_DETAILS) or None,
        "LastModifiedTime": modified_at,
    }


def _cut(text: str, length: int) -> str:
    """`text` as one line of at most so many characters."""
    line = " ".join(text.split())
    return f"{line[: max(0, length - 3)]}..." if len(line) > length else line
