"""The evaluation of one training job's rules, from its first tensor to the last verdict."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from sagehound.control.actions import Actions, Alarm
from sagehound.control.evaluator import Evaluator
from sagehound.control.growing_folder import GrowingFolder
from sagehound.control.growing_places import profile_place, tensors_place
from sagehound.control.patience import DELAYS_S, Interrupted, persistently
from sagehound.control.rule_requests import debugger_request, profiler_request
from sagehound.errors import AlreadyExists, JobFailure, NotFound, ObjectStoreError
from sagehound.names import Arn, S3Uri, evaluation_name
from sagehound.objects.store import ObjectStore
from sagehound.records.rules import DebugRule, RuleEvaluation, RuleStatus
from sagehound.records.training import TrainingJob
from sagehound.settings import Settings
from sagehound.store.store import Store

_LOG = logging.getLogger(__name__)
#: How often status files are looked at, in seconds.
POLL_S = 0.5
_NEVER_TRAINED = "The training job ended before its script was started: there was nothing to judge"
_NO_VERDICT = "InternalServerError: the process that judged the rule ended without a verdict"
_STUCK = (
    "The job has ended, and its next saved step took longer to judge than is waited for: the rule was ended. Does it "
    "loop, or wait for something?"
)
#: So long may a step take to be judged once the job is over: it holds a place that other jobs' rules wait for.
STUCK_S = 600.0
_FINAL = (RuleStatus.NO_ISSUES_FOUND, RuleStatus.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every evaluation works with. `command` runs an evaluator of the debugger's rules, `profiler_command` one of
    the profiler's, its folder being added; `environment` is the whole environment of such a process."""

    store: Store
    objects: ObjectStore
    settings: Settings
    clock: Callable[[], float]
    actions: Actions
    command: Sequence[str]
    profiler_command: Sequence[str]
    environment: Mapping[str, str]
    poll_s: float = POLL_S
    delays_s: tuple[float, ...] = DELAYS_S
    stuck_s: float = STUCK_S


class Evaluation:
    """One job's rules. Everything can be done again after a kill at any point: what a rule had found stands, its
    actions are not taken twice, and what was not judged to its end is judged anew.

    `hear` is called in the event loop, any number of times. Rules that are added to the job are taken up while it runs.
    """

    def __init__(self, job: TrainingJob, bench: Bench) -> None:
        self._job = job
        self._bench = bench
        self._begun = asyncio.Event()
        self._over = asyncio.Event()
        self._halt = threading.Event()
        self._added = asyncio.Event()
        self._known: set[str] = set()
        self._stored: dict[str, bytes] = {}
        self._outputs: dict[str, GrowingFolder] = {}

    def hear(self, job: TrainingJob) -> None:
        """The training job's record has changed."""
        if len(job.spec.all_rules) > len(self._job.spec.all_rules):
            self._job = job
            self._added.set()
        if job.status.ended:
            self._over.set()
            self._added.set()
        if job.has_trained or job.status.ended:
            self._begun.set()

    async def run(self, places: asyncio.Semaphore) -> None:
        """See the rules through, in one of the `places`."""
        going = await asyncio.to_thread(self._going_on)
        if not going:
            return
        try:
            self.hear(await asyncio.to_thread(self._bench.store.get, TrainingJob, self._job.name))
            await self._begun.wait()
            job = await asyncio.to_thread(self._bench.store.get, TrainingJob, self._job.name)
            if not job.has_trained:
                await asyncio.to_thread(self._end, going, RuleStatus.STOPPED, _NEVER_TRAINED)
                return
            async with places, asyncio.TaskGroup() as group:
                for evaluator in self._parts(going):
                    group.create_task(self._follow(evaluator))
                await self._take_up_added(group)
        finally:
            self._halt.set()

    async def _take_up_added(self, group: asyncio.TaskGroup) -> None:
        """Until the job is over: a process for rules that an UpdateTrainingJob brings."""
        known = self._known
        while True:
            await self._added.wait()
            self._added.clear()
            rules = [rule for rule in self._job.spec.profiler_rules if rule.name not in known]
            if rules:
                for rule in rules:
                    await asyncio.to_thread(self._record, rule)
                folder = self._root / f"profiler-{len(known)}"
                known |= {rule.name for rule in rules}
                group.create_task(self._follow(Evaluator(folder, rules, profiler=True)))
            if self._over.is_set():
                return

    def _going_on(self) -> list[DebugRule]:
        """The rules that have not ended; every rule has a record from now on."""
        rules = self._job.spec.all_rules
        self._known = {rule.name for rule in rules}
        return [rule for rule in rules if not self._record(rule).ended]

    def _record(self, rule: DebugRule) -> RuleEvaluation:
        name, now = evaluation_name(self._job.name, rule.name), self._bench.clock()
        with contextlib.suppress(NotFound):
            return self._bench.store.get(RuleEvaluation, name)
        arn = str(replace(Arn.parse(self._job.arn), resource="processing-job", name=name))
        record = RuleEvaluation(
            name=name, created_at=now, modified_at=now, arn=arn, parent=self._job.name, rule=rule.name
        )
        with contextlib.suppress(AlreadyExists):
            self._bench.store.insert(record)
        return record

    @property
    def _root(self) -> Path:
        return self._bench.settings.jobs_folder / self._job.name / "rules"

    def _parts(self, going: Sequence[DebugRule]) -> list[Evaluator]:
        """What each process judges, and its folder."""
        root, spec = self._root, self._job.spec
        own = [Evaluator(root / f"custom-{n}", [rule]) for n, rule in enumerate(spec.rules) if rule.source_uri]
        built_in = Evaluator(root / "built-in", [rule for rule in spec.rules if rule in going and not rule.source_uri])
        profiler = Evaluator(root / "profiler", [rule for rule in spec.profiler_rules if rule in going], profiler=True)
        return [each for each in (built_in, *own, profiler) if each.rules and each.rules[0] in going]

    async def _follow(self, evaluator: Evaluator) -> None:
        """One process, from its request to its end."""
        try:
            await asyncio.to_thread(self._prepare, evaluator)
            command = self._bench.profiler_command if evaluator.profiler else self._bench.command
            await evaluator.start(command, self._bench.environment)
        except (JobFailure, OSError) as error:
            await asyncio.to_thread(self._end, evaluator.rules, RuleStatus.ERROR, f"{error}")
            return
        except Interrupted:
            return
        try:
            while (code := await evaluator.wait(self._bench.poll_s)) is None:
                if self._over.is_set():
                    await asyncio.to_thread(self._tell_the_end, evaluator)
                if evaluator.silent_s() > self._bench.stuck_s:
                    await evaluator.kill()
                    await asyncio.to_thread(self._take_news, evaluator)
                    await asyncio.to_thread(self._end, evaluator.rules, RuleStatus.ERROR, _STUCK)
                    return
                await asyncio.to_thread(self._take_news, evaluator)
        finally:
            await evaluator.kill()
        await asyncio.to_thread(self._conclude, evaluator, code)

    def _prepare(self, evaluator: Evaluator) -> None:
        evaluator.prepare()
        own = [rule for rule in evaluator.rules if rule.source_uri]
        sources = {rule.name: self._source(rule, evaluator.folder.with_suffix(".source")) for rule in own}
        evaluator.write_request(self._request(evaluator, sources))

    def _request(self, evaluator: Evaluator, sources: Mapping[str, Path]) -> dict[str, Any]:
        tensors = self._readable(tensors_place(self._job)) if self._job.spec.tensors_uri else ""
        if not evaluator.profiler:
            return debugger_request(self._job, tensors, evaluator.rules, sources)
        job = self._bench.store.get(TrainingJob, self._job.name)
        profile = self._readable(profile_place(job))
        return profiler_request(job, self._root.parent, profile, tensors, evaluator.rules, evaluator.output)

    def _tell_the_end(self, evaluator: Evaluator) -> None:
        """The job is over: the profiler's rules are told of when and how before they look for the last time."""
        if evaluator.profiler and not evaluator.told:
            evaluator.write_request(self._request(evaluator, {}))
        evaluator.job_ended()

    def _readable(self, place: S3Uri) -> str:
        """Where it is read: the embedded store's own folder, whether it is there yet or not, or S3."""
        bucket = self._bench.objects.folder(S3Uri(place.bucket))
        return str(bucket / place.key) if bucket is not None else str(place)

    def _source(self, rule: DebugRule, folder: Path) -> Path:
        """A custom rule's file, fetched; JobFailure where there is none."""
        uri = S3Uri.parse(rule.source_uri)
        path = folder / (PurePosixPath(uri.key).name or "rule.py")
        say = _LOG.warning
        try:
            persistently(lambda: self._bench.objects.fetch(uri, path), self._halt, say, self._bench.delays_s)
        except NotFound:
            raise JobFailure(
                f"ClientError: the rule's source {rule.source_uri} does not exist; give Rule.custom the path of a file"
            ) from None
        return path

    def _take_news(self, evaluator: Evaluator) -> None:
        news = evaluator.news()
        if news and evaluator.profiler:
            self._store_output(evaluator)
        for rule, said in news:
            if not self._take(rule, said):
                evaluator.again(rule)

    def _take(self, rule: DebugRule, said: dict[str, Any]) -> bool:
        """Whether all of it could be passed on."""
        status, details = RuleStatus(said["status"]), str(said.get("details", ""))
        record = self._update(rule, lambda before: self._heard(before, status, details))
        stored = self._store_findings(rule, record, said)
        if status is RuleStatus.ISSUES_FOUND and not record.acted:
            self._act(Alarm(job=self._job.name, rule=rule, details=details, findings=said.get("findings", [])))
        return stored

    def _heard(self, before: RuleEvaluation, status: RuleStatus, details: str) -> RuleEvaluation:
        """A verdict stands; only what a finding says may still grow."""
        if before.ended or (before.status is RuleStatus.ISSUES_FOUND and status is not RuleStatus.ISSUES_FOUND):
            return before
        if (before.status, before.details) == (status, details):
            return before
        now = self._bench.clock()
        return before.evolve(status=status, details=details, ended=status in _FINAL, modified_at=now)

    def _act(self, alarm: Alarm) -> None:
        """Take the rule's actions. Stopping may be done twice; a message is sent once, or, after a kill, not at all."""
        done = self._bench.actions.stop(alarm)
        self._update(alarm.rule, lambda before: before.evolve(acted=True, outcome=" ".join(done)))
        done += self._bench.actions.tell(alarm)
        self._update(alarm.rule, lambda before: before.evolve(outcome=" ".join(done)))

    def _store_findings(self, rule: DebugRule, record: RuleEvaluation, said: dict[str, Any]) -> bool:
        """Put what the rule says beside the job's output, where people and the CLI read it."""
        document = {
            "job": self._job.name,
            "rule": rule.name,
            "status": record.status,
            "details": record.details,
            "findings": said.get("findings", []),
        }
        body = json.dumps(document, indent=2).encode()
        judged_anew = record.status is RuleStatus.ISSUES_FOUND and said["status"] != RuleStatus.ISSUES_FOUND
        if self._stored.get(rule.name) == body or judged_anew:
            return True
        folder = self._bench.settings.jobs_folder / self._job.name / "rules" / "findings"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{rule.name}.json"
        path.write_bytes(body)
        try:
            self._bench.objects.put(path, findings_place(self._job.name, rule))
        except ObjectStoreError as error:
            _LOG.warning("findings of the rule %s of %s could not be stored: %s", rule.name, self._job.name, error)
            return False
        self._stored[rule.name] = body
        return True

    def _store_output(self, evaluator: Evaluator) -> None:
        """Put what the profiler's rules wrote where people look for it: before it is said that they are done."""
        for rule in evaluator.rules:
            kept = self._outputs.setdefault(
                rule.name,
                GrowingFolder(
                    self._bench.objects, output_place(self._job.name, rule), [evaluator.output / rule.name], self._root
                ),
            )
            try:
                persistently(kept.sync, self._halt, _LOG.warning, self._bench.delays_s)
            except JobFailure as error:
                _LOG.warning(
                    "the report of the rule %s of %s could not be stored: %s", rule.name, self._job.name, error
                )

    def _conclude(self, evaluator: Evaluator, code: int) -> None:
        if evaluator.profiler:
            self._store_output(evaluator)
        self._take_news(evaluator)
        said = evaluator.errors()
        reason = f"{_NO_VERDICT} (exit status {code}){f': {said}' if said else ''}"
        self._end(evaluator.rules, RuleStatus.ERROR, reason)

    def _end(self, rules: Sequence[DebugRule], status: RuleStatus, details: str) -> None:
        """Nothing more will come: what has found something stands, what has no verdict gets this one."""

        def end(before: RuleEvaluation) -> RuleEvaluation:
            if before.ended:
                return before
            if before.status is RuleStatus.ISSUES_FOUND:
                return before.evolve(ended=True)
            return before.evolve(status=status, details=details, ended=True, modified_at=self._bench.clock())

        for rule in rules:
            self._update(rule, end)

    def _update(self, rule: DebugRule, change: Callable[[RuleEvaluation], RuleEvaluation]) -> RuleEvaluation:
        return self._bench.store.update(RuleEvaluation, evaluation_name(self._job.name, rule.name), change)


def findings_place(job: str, rule: DebugRule) -> S3Uri:
    """Where a rule's findings are stored."""
    return output_place(job, rule) / "findings.json"


def output_place(job: str, rule: DebugRule) -> S3Uri:
    """Where all goes that a rule leaves."""
    return S3Uri.parse(rule.output_uri) / f"{job}/rule-output/{rule.name}"
