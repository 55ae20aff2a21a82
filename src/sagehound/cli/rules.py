"""`sagehound rules`: what the rules of a training job say, while it runs or afterwards."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import typer

from sagehound.cli.connection import connect
from sagehound.cli.console import AsJson, Home, progress, say, say_json, say_table
from sagehound.cli.findings import say_findings
from sagehound.cli.jobs import TRAINING, find
from sagehound.errors import InvalidInput
from sagehound.names import S3Uri

Status = dict[str, Any]
_KEYS = (
    ("rule", "RuleConfigurationName"),
    ("status", "RuleEvaluationStatus"),
    ("details", "StatusDetails"),
    ("updated_at", "LastModifiedTime"),
)


def rules(
    name: Annotated[str, typer.Argument(metavar="JOB", help="The name of a training job.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show the rules of a training job, the debugger's and the profiler's: their statuses, and what they found."""
    connection = connect(home)
    kind, job = find(connection.client("sagemaker"), name)
    if kind != TRAINING:
        raise InvalidInput(f"{name} is a tuning job; ask for one of its trials, which `sagehound jobs {name}` lists")
    statuses = statuses_of(job)
    if not as_json and not statuses:
        progress(
            f"{name} has no rules; give the estimator rules=[...], or set SAGEHOUND_DEBUG_RULES in its environment"
        )
        return
    s3 = connection.client("s3")
    found = [{key: status.get(field, "") for key, field in _KEYS} for status in statuses]
    for one in found:
        one["findings"] = _findings(s3, job, one["rule"]) if one["status"] == "IssuesFound" else []
    if as_json:
        say_json(found)
        return
    say_table(("RULE", "STATUS", "SINCE", "FINDINGS"), [_row(one) for one in found])
    say_findings(finding for one in found for finding in one["findings"])
    for one in found:
        _say_details(one)


def statuses_of(job: dict[str, Any]) -> list[Status]:
    """The statuses of all rules in DescribeTrainingJob's answer."""
    return [*job.get("DebugRuleEvaluationStatuses", []), *job.get("ProfilerRuleEvaluationStatuses", [])]


def findings_place(job: dict[str, Any], rule: str) -> S3Uri:
    """Where the findings of one of the job's rules are stored."""
    configured = [*job.get("DebugRuleConfigurations", []), *job.get("ProfilerRuleConfigurations", [])]
    listed = {one["RuleConfigurationName"]: one for one in configured}
    output = listed.get(rule, {}).get("S3OutputPath") or job["OutputDataConfig"]["S3OutputPath"]
    return S3Uri.parse(output) / f"{job['TrainingJobName']}/rule-output/{rule}/findings.json"


def _findings(s3: Any, job: dict[str, Any], rule: str) -> list[dict[str, Any]]:  # noqa: ANN401
    """What the rule has found; nothing where it is not stored yet."""
    place = findings_place(job, rule)
    try:
        body = s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return []
    # The name that the rule has in this job, which may have several of one kind.
    return [{**finding, "rule": _named(rule, finding)} for finding in json.loads(body)["findings"]]


def _named(rule: str, finding: dict[str, Any]) -> str:
    """ProfilerReport's findings are those of the rules that it runs."""
    own = finding.get("rule", rule)
    return f"{rule} ({own})" if "step" not in finding and own != rule else rule


def _row(one: Status) -> tuple[str, ...]:
    since: datetime = one["updated_at"]
    count = len(one["findings"])
    return one["rule"], one["status"], since.astimezone().strftime("%H:%M:%S"), str(count) if count else ""


def _say_details(one: Status) -> None:
    """What there is to say beside the findings: a reason, or what the rule's actions did."""
    text = _outcome(one["details"]) if one["findings"] else one["details"]
    if text:
        say(f"\n{one['rule']}: {text}")


def _outcome(details: str) -> str:
    """What the rule's actions did, which stands at the end of its details."""
    starts = [at for word in ("StopTraining", "Email:", "Webhook:") if (at := details.find(word)) >= 0]
    return details[min(starts) :] if starts else ""
