"""What is done when a rule fires for the first time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sagehound.control.messages import post, send_mail
from sagehound.records.rules import ActionKind, DebugRule, RuleAction
from sagehound.records.training import TrainingJob, TrainingStatus
from sagehound.settings import Settings
from sagehound.store.store import Query, Store, every

_LOG = logging.getLogger(__name__)
_NO_SERVER = (
    "no mail was sent to {address}: the service has no mail server; start it with "
    "sagehound up --smtp smtp://user:password@host:port?from=address"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A rule of a job has fired: its status details, and its findings as the evaluator wrote them."""

    job: str
    rule: DebugRule
    details: str
    findings: list[dict[str, Any]]


class Actions:
    """Stops jobs, writes mails, calls the webhook. Nothing here fails: what went wrong is in the answer and in the
    service's log. `say(job, text)` writes a line into a job's log."""

    def __init__(
        self, store: Store, settings: Settings, clock: Callable[[], float], say: Callable[[str, str], None]
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._say = say

    def stop(self, alarm: Alarm) -> list[str]:
        """Stop what is to be stopped; may be done again. What was done, in sentences."""
        wanted = [action for action in alarm.rule.actions if action.kind is ActionKind.STOP_TRAINING]
        return [self._stop(alarm, action) for action in wanted]

    def tell(self, alarm: Alarm) -> list[str]:
        """Write the mails and call the webhook; to be done once. What was done, in sentences."""
        return list(self._told(alarm))

    def _stop(self, alarm: Alarm, action: RuleAction) -> str:
        prefix = action.target or alarm.job
        found = [prefix] if prefix == alarm.job else self._active(prefix)
        if len(found) != 1:
            named = f": {', '.join(sorted(found)[:5])}" if found else ""
            return _failed(
                alarm,
                f"StopTraining stopped nothing: {len(found)} active training jobs have names that begin with "
                f"{prefix!r}{named}; the prefix must be that of one.",
            )
        now = self._clock()
        reason = f"the rule {alarm.rule.name} of {alarm.job} found issues"
        before = self._store.get(TrainingJob, found[0]).status
        after = self._store.update(TrainingJob, found[0], lambda job: job.asked_to_stop(now, reason))
        if before is not TrainingStatus.IN_PROGRESS:
            return f"StopTraining: the training job {found[0]} was {before} already."
        self._say(after.name, f"The rule {alarm.rule.name} of {alarm.job} stops this job. {alarm.details}")
        return f"StopTraining stopped the training job {found[0]}."

    def _active(self, prefix: str) -> list[str]:
        query = Query(states=(TrainingStatus.IN_PROGRESS,), name_contains=prefix, limit=1000)
        names = [job.name for job in every(self._store, TrainingJob, query) if job.name.startswith(prefix)]
        return [prefix] if prefix in names else names

    def _told(self, alarm: Alarm) -> Iterator[str]:
        for action in alarm.rule.actions:
            if action.kind is ActionKind.EMAIL:
                yield self._mail(alarm, action.target)
        if self._settings.webhook:
            yield self._call(alarm)

    def _mail(self, alarm: Alarm, address: str) -> str:
        if not self._settings.smtp:
            return _failed(alarm, f"Email: {_NO_SERVER.format(address=address)}.")
        subject = f"Sagehound: rule {alarm.rule.name} found issues in {alarm.job}"
        try:
            send_mail(self._settings.smtp, address, subject, _text(alarm))
        except (OSError, ValueError) as error:
            return _failed(alarm, f"Email: no mail was sent to {address}: {type(error).__name__}: {error}.")
        return f"Email: sent to {address}."

    def _call(self, alarm: Alarm) -> str:
        document = {"job": alarm.job, "rule": alarm.rule.name, "details": alarm.details, "findings": alarm.findings}
        try:
            post(self._settings.webhook, document)
        except (OSError, ValueError) as error:
            return _failed(alarm, f"Webhook: it was not reached: {type(error).__name__}: {error}.")
        return "Webhook: called."


def _failed(alarm: Alarm, text: str) -> str:
    _LOG.warning("rule %s of training job %s: %s", alarm.rule.name, alarm.job, text)
    return text


def _text(alarm: Alarm) -> str:
    parts = [f"Training job  {alarm.job}", f"Rule          {alarm.rule.name}", "", alarm.details]
    for finding in alarm.findings:
        parts += ["", str(finding.get("message", "")), f"Why: {finding.get('why', '')}"]
        parts.append(f"Change: {finding.get('change', '')}")
    return "\n".join([*parts, "", f"All findings: sagehound rules {alarm.job}", ""])
