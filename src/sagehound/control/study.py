"""One tuning job at work: asks for trials, makes their training jobs, tells what became of them."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from sagehound.control.outcome import ATTEMPTS, outcome
from sagehound.control.remarks import Remarks
from sagehound.control.search import Search
from sagehound.control.trial_folders import TrialFolders
from sagehound.control.trial_jobs import trial_job
from sagehound.errors import AlreadyExists, JobFailure, NotFound
from sagehound.names import trial_number
from sagehound.records.tags import TagSet
from sagehound.records.training import TrainingJob, TrainingStatus
from sagehound.records.tuning import TuningJob, TuningStatus, objective
from sagehound.store.store import Query, Store, every
from sagehound.tuning.completion import Completion
from sagehound.tuning.trial import Trial

_LOG = logging.getLogger(__name__)
_REASON_CHARACTERS = 1024


class Study:
    """The tuning job `name`. A trial exists from the moment its training job is in the store, under the name that its
    number gives it; nothing else is kept, so a new study goes on where an old one was killed. One thread at a time.

    `cores` is how many the machine has, `side_by_side` how many job instances it runs at once.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        clock: Callable[[], float],
        folders: TrialFolders,
        cores: int = 1,
        side_by_side: int = 1,
    ) -> None:
        self._store = store
        self._name = name
        self._clock = clock
        self._folders = folders
        self._cores = cores
        self._side_by_side = side_by_side
        self._searches: dict[str, Search] = {}
        self._trials: dict[int, TrainingJob] = {}
        self._running: set[int] = set()
        self._results: dict[int, Trial] = {}
        self._remarks = Remarks(store, name, clock, folders)
        self._failed = self._completed = 0

    @property
    def watched(self) -> frozenset[str]:
        """The trials whose curves may decide that they stop: those that train now."""
        if not any(search.judges for search in self._searches.values()):
            return frozenset()
        training = (self._trials[number] for number in self._running)
        return frozenset(t.name for t in training if t.has_trained and t.status is TrainingStatus.IN_PROGRESS)

    def advance(self, news: Iterable[TrainingJob] = (), grown: Iterable[str] = ()) -> float | None:
        """Take in the trials that changed and those that have `grown` (printed an objective), and do what is to be done
        now. How many seconds later to come back though nothing changes (infinity: no need to); None when the tuning
        job has ended. JobFailure where it cannot go on."""
        job = self._store.get(TuningJob, self._name)
        if job.status.ended:
            return None
        if not self._searches:
            self._recall(job)
        self._hear(job, news, grown)
        job = self._concluded(job)
        left = self._time_left(job)
        if job.status is TuningStatus.STOPPING or job.complete_because or left <= 0:
            self.stop_trials(job.complete_because)
            left = math.inf
        else:
            self._judge(job)
            self._launch(job)
        if self._running:
            return left
        self._end(*outcome(job, self._in_order()))
        return None

    def give_up(self, reason: str) -> None:
        """End the tuning job as failed, and stop the trials that run."""
        self.stop_trials()
        self._end(TuningStatus.FAILED, reason)

    def stop_trials(self, reason: str = "") -> None:
        """Ask every running trial to stop; the training loop does it."""
        for number in sorted(self._running):
            self._stop(number, reason)

    def _recall(self, job: TuningJob) -> None:
        """The searches, told the parents' trials and every trial that there is."""
        for definition in job.spec.definitions:
            search = self._searches[definition.name] = Search(job, definition)
            search.inherit(self._inherited(job))
        trials = every(self._store, TrainingJob, Query(group=job.name, limit=1000))
        for trial in sorted(trials, key=lambda trial: trial_number(trial.name)):
            self._learn(job, trial)

    def _inherited(self, job: TuningJob) -> Iterable[tuple[TrainingJob, float]]:
        for name in job.spec.parents:
            try:
                parent = self._store.get(TuningJob, name)
            except NotFound:
                _LOG.warning("tuning job %s: its parent %s is gone, and nothing is learned from it", job.name, name)
                continue
            trials = every(self._store, TrainingJob, Query(group=name, limit=1000))
            for trial in sorted(trials, key=lambda trial: trial_number(trial.name)):
                value = objective(parent, trial)
                if value is not None:
                    yield trial, value

    def _hear(self, job: TuningJob, news: Iterable[TrainingJob], grown: Iterable[str]) -> None:
        for trial in news:
            if trial_number(trial.name) in self._running:
                self._learn(job, trial)
        for name in sorted(grown):
            number = trial_number(name)
            if number in self._running:
                self._learn(job, self._trials[number])

    def _learn(self, job: TuningJob, trial: TrainingJob) -> None:
        number, running = trial_number(trial.name), not trial.status.ended
        search = self._searches[job.spec.definition(trial.definition).name]
        value = None if running else objective(job, trial)
        curve = self._folders.curve(trial.name, search.definition.metric) if search.judges else ()
        search.tell(trial, value, curve)
        if running:
            self._trials[number] = trial
            self._running.add(number)
            return
        self._running.discard(number)
        self._folders.forget(trial.name)
        self._results[number] = Trial(number=number, values=trial.tuned, objective=value)
        self._failed += trial.status is TrainingStatus.FAILED
        self._completed += trial.status is TrainingStatus.COMPLETED
        self._trials[number] = self._remarks.hear(search.definition, trial, value)

    def _concluded(self, job: TuningJob) -> TuningJob:
        """The tuning job, with the criterion that is met where one is, and the time of convergence."""
        criteria = job.spec.criteria
        completion = Completion(
            maximize=job.maximizes,
            target=criteria.target,
            most_not_improving=criteria.most_not_improving,
            on_convergence=criteria.on_convergence,
        )
        reason = job.complete_because or completion.reason(self._results.values())
        converged = job.converged_at is None and completion.converged(self._results.values())
        if reason == job.complete_because and not converged:
            return job
        now = self._clock()
        return self._store.update(
            TuningJob,
            self._name,
            lambda there: there.evolve(
                complete_because=reason, converged_at=now if converged else there.converged_at, modified_at=now
            ),
        )

    def _judge(self, job: TuningJob) -> None:
        """Stop the running trials that their strategy gives up, or that have had all that they may have."""
        for name in sorted(self.watched):
            number = trial_number(name)
            search = self._searches[job.spec.definition(self._trials[number].definition).name]
            verdict = search.verdict(self._trials[number])
            if verdict is None:
                continue
            if verdict.finished and len(self._folders.curve(name, search.definition.metric)) <= job.spec.most_resource:
                # It may end by itself, with a whole model, unless it goes on to yet another epoch.
                continue
            self._stop(number, verdict.reason, finished=verdict.finished)

    def _stop(self, number: int, reason: str = "", *, finished: bool = False) -> None:
        def change(trial: TrainingJob) -> TrainingJob:
            asked = trial.asked_to_stop(self._clock(), reason)
            return asked if asked is trial else asked.evolve(finished=finished)

        self._trials[number] = self._store.update(TrainingJob, self._trials[number].name, change)

    def _launch(self, job: TuningJob) -> None:
        while len(self._running) < job.spec.max_parallel and len(self._trials) < job.spec.max_jobs:
            if self._hopeless() or not self._launched(job, len(self._trials) + 1):
                return

    def _launched(self, job: TuningJob, number: int) -> bool:
        """Whether there was a trial left to make. Definitions take turns; one that has nothing left is passed over."""
        while left := [search for search in self._searches.values() if not search.exhausted]:
            search = min(left, key=lambda search: search.asked)
            values = search.ask()
            if values is None:
                continue
            threads = self._threads(job, search)
            self._learn(job, self._inserted(trial_job(job, search.definition, number, values, self._clock(), threads)))
            return True
        return False

    def _inserted(self, trial: TrainingJob) -> TrainingJob:
        self._tag(trial)
        try:
            self._store.insert(trial)
        except AlreadyExists:
            there = self._store.get(TrainingJob, trial.name)
            if there.parent != trial.parent:
                raise JobFailure(
                    f"a training job named {trial.name} exists that is no trial of {trial.parent}; "
                    "start the tuning job again under another name"
                ) from None
            return there
        return trial

    def _tag(self, trial: TrainingJob) -> None:
        """Give the trial the tags that the tuning job has now, before anybody can see it without."""
        try:
            tags = self._store.get(TagSet, self._store.get(TuningJob, self._name).arn)
        except NotFound:
            return
        try:
            self._store.insert(replace(tags, name=trial.arn))
        except AlreadyExists:
            return

    def _threads(self, job: TuningJob, search: Search) -> int:
        """What each host gets, so that the hosts that really run side by side share the cores."""
        hosts = min(job.spec.max_parallel, job.spec.max_jobs) * search.definition.training.instance_count
        return max(1, self._cores // min(hosts, self._side_by_side))

    def _time_left(self, job: TuningJob) -> float:
        limit = job.spec.max_runtime_s
        return math.inf if limit is None else job.created_at + limit - self._clock()

    def _in_order(self) -> list[TrainingJob]:
        return [trial for _, trial in sorted(self._trials.items())]

    def _hopeless(self) -> bool:
        return self._failed >= ATTEMPTS and not self._completed

    def _end(self, status: TuningStatus, reason: str) -> None:
        def change(job: TuningJob) -> TuningJob:
            if job.status.ended:
                return job
            now = self._clock()
            stopped = job.status is TuningStatus.STOPPING and not reason
            return job.evolve(
                status=TuningStatus.STOPPED if stopped else status,
                failure_reason=reason[:_REASON_CHARACTERS],
                ended_at=now,
                modified_at=now,
            )

        self._store.update(TuningJob, self._name, change)
