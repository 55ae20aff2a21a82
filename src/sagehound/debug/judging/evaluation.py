"""Judging a trial by rules, while it grows."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import takewhile
from typing import cast

from sagehound.debug.finding import Finding
from sagehound.debug.judging.custom_source import CustomRule
from sagehound.debug.rule import Rule, Watch
from sagehound.debug.trial import Trial
from sagehound.errors import RuleEvaluationConditionMet, SagehoundError
from sagehound.watching.rule_status import RuleStatus, Status

#: So many findings of one rule are kept; then it has said enough and rests.
MOST_FINDINGS = 20
_LOG = logging.getLogger("sagehound.debug.rules")


class Judgement:
    """What one rule has said so far."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.findings: list[Finding] = []
        self.error = ""
        self.over = False
        self._known: set[tuple[str, ...]] = set()
        self.custom = isinstance(rule, CustomRule)

    @property
    def resting(self) -> bool:
        return bool(self.error) or len(self.findings) >= MOST_FINDINGS

    def take(self, find: Callable[[], Iterable[Finding]], where: str) -> list[Finding]:
        """Keep what is new of a rule's findings; a rule that raises is heard no more, and the reason is kept."""
        if self.resting:
            return []
        before = len(self.findings)
        try:
            for finding in find():
                self._keep(finding)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a rule may be a user's, and must not end the others
            self.error = failure(error, where)
            _LOG.warning("rule %s ends: %s", self.rule.name, self.error, exc_info=not isinstance(error, SagehoundError))
        return self.findings[before:]

    def status(self, now: float) -> RuleStatus:
        """As DescribeTrainingJob says it."""
        status, details = self._verdict()
        return RuleStatus(status=status, details=details, updated_at=now, findings=tuple(self.findings))

    def _keep(self, finding: Finding) -> None:
        mode = "" if getattr(self.rule, "same_in_all_modes", False) and finding.tensor else finding.mode
        about = (finding.tensor, finding.module, mode, str(finding.step) if self.custom else "")
        if about not in self._known and len(self.findings) < MOST_FINDINGS:
            self._known.add(about)
            self.findings.append(finding)

    def _verdict(self) -> tuple[Status, str]:
        if self.findings:
            return Status.ISSUES_FOUND, self._condition_met()
        if self.error:
            return Status.ERROR, self.error
        return (Status.NO_ISSUES_FOUND if self.over else Status.IN_PROGRESS), ""

    def _condition_met(self) -> str:
        first = self.findings[0]
        met = str(RuleEvaluationConditionMet(first.rule, first.step))
        more = f" ({len(self.findings) - 1} more)" if len(self.findings) > 1 else ""
        said = "" if first.message == met else f". {first.message.rstrip('.')}{more}."
        then = f" Later the rule itself failed: {self.error}" if self.error else ""
        return f"RuleEvaluationConditionMet: {met}{said}{then}"


class Evaluation:
    """Rules over one trial. Each saved step is judged once by each rule, in order, as soon as it is complete.

    `advance` judges what is new and gives the new findings; `idle` lets rules judge silence; `finish` is called once
    the trial has ended. `judgements` has what each rule says, by the name it was given here.
    """

    def __init__(self, trial: Trial, rules: Mapping[str, Rule]) -> None:
        self.trial = trial
        self.judgements = {name: Judgement(rule) for name, rule in rules.items()}
        self._last = -1
        self._judged_open = False

    @property
    def over(self) -> bool:
        """Whether every step of an ended trial was judged."""
        return self.trial.loaded_all_steps and not self.waits()

    def advance(self, most: int | None = None) -> list[Finding]:
        """Judge the next steps, at most so many; the trial is refreshed by the caller."""
        everyone = list(self.judgements.values())
        return [finding for step in self._ready(most) for finding in self._judge(step, everyone)]

    def waits(self) -> bool:
        """Whether a step is there to be judged."""
        return bool(self._ready(1))

    def idle(self, idle_s: float) -> list[Finding]:
        """Let the rules that watch for silence judge it."""
        found = []
        for judgement in self.judgements.values():
            if hasattr(judgement.rule, "while_idle"):
                watch = cast("Watch", judgement.rule)
                found += judgement.take(partial(watch.while_idle, self.trial, idle_s), "while nothing was saved")
        return found

    def finish(self) -> None:
        """The trial has ended: built-in rules judge its last step once more where they could not know that it was the
        last, and a rule that could judge nothing says why."""
        if self._judged_open:
            self._judge(self._last, [one for one in self.judgements.values() if not one.custom])
        lacking = without_data(self.trial)
        for judgement in self.judgements.values():
            judgement.over = True
            if not judgement.findings and not judgement.error:
                judgement.error = lacking or self._unable(judgement.rule)

    def _ready(self, most: int | None) -> Sequence[int]:
        saved, ended = self.trial.saved, self.trial.loaded_all_steps
        return list(takewhile(lambda step: ended or saved.complete(step), saved.after(self._last, most)))

    def _judge(self, step: int, judgements: Iterable[Judgement]) -> list[Finding]:
        self._last, self._judged_open = step, not self.trial.loaded_all_steps
        found = []
        live, self.trial.dynamic_refresh = self.trial.dynamic_refresh, False
        for judgement in judgements:
            found += judgement.take(partial(judgement.rule.findings, self.trial, step), f"at step {step}")
        self.trial.dynamic_refresh = live
        return found

    def _unable(self, rule: Rule) -> str:
        try:
            reason = rule.unable(self.trial)
        except Exception as error:  # noqa: BLE001 - as above
            reason = failure(error, "at the end")
        return f"The rule {rule.name} could judge nothing: {reason}" if reason else ""


def failure(error: BaseException, where: str) -> str:
    """What went wrong in a rule, for its user: the exception, the place in the source, and when."""
    if isinstance(error, SagehoundError):
        return f"{error} ({where})"
    frames = traceback.extract_tb(error.__traceback__)
    place = (
        f"{frames[-1].filename.rsplit('/', 1)[-1]} line {frames[-1].lineno}, in {frames[-1].name}, " if frames else ""
    )
    return f"{type(error).__name__}: {error} ({place}{where})"


def without_data(trial: Trial) -> str:
    """Why an ended trial holds nothing; "" where it holds something."""
    if trial.saved.numbers():
        return ""
    notes = "".join(f" The hook noted: {note.text}." for note in list(trial.notes)[:3])
    if not trial.source.runs():
        return (
            "no tensors were saved: no hook wrote anything. Did the script train a PyTorch model in the process that "
            "the job started (or register a hook in the one that trains), and come to a step that is saved? "
            "Lines that begin with 'sagehound.debug:' in its log may say more; save_interval is 500 unless given."
            f"{notes}"
        )
    passed = trial.source.state().passed.get("GLOBAL", -1) + 1
    return (
        f"no tensors were saved: the hook was there and counted {passed} steps, but none was due to be saved. "
        f"Lower save_interval (it is 500 by default), or see whether the registered model is the one that runs.{notes}"
    )
