"""One tuning job at work: asks for trials, makes their training jobs, tells what became of them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from sagehound.errors import AlreadyExists, JobFailure
from sagehound.names import Arn, trial_name, trial_number
from sagehound.records.training import SecondaryStatus, TrainingJob, TrainingStatus
from sagehound.records.tuning import TuningJob, TuningStatus, objective
from sagehound.store.store import Query, Store, every
from sagehound.tuning.catalogue import create
from sagehound.tuning.space import Space, Values
from sagehound.tuning.strategy import Strategy
from sagehound.tuning.trial import Trial

#: After so many failed trials and no completed one, no more are made: SageMaker's own limit.
ATTEMPTS = 5
#: The hyperparameter that tells a trial, and the SDK, what is sought.
OBJECTIVE_KEY = "_tuning_objective_metric"
_REASON_CHARACTERS = 1024


class Study:
    """The tuning job `name`. A trial exists from the moment its training job is in the store, under the name that its
    number gives it; nothing else is kept, so a new study goes on where an old one was killed. One thread at a time.

    `cores` is how many the machine has, `side_by_side` how many job instances it runs at once.
    """

    def __init__(
        self, store: Store, name: str, clock: Callable[[], float], cores: int = 1, side_by_side: int = 1
    ) -> None:
        self._store = store
        self._name = name
        self._clock = clock
        self._cores = cores
        self._side_by_side = side_by_side
        self._strategy: Strategy | None = None
        self._trials: dict[int, TrainingJob] = {}
        self._running: set[int] = set()

    def advance(self, ended: Iterable[TrainingJob] = ()) -> float | None:
        """Take in the trials that ended and do what is to be done now. How many seconds later to come back though
        no trial ends (infinity: no need to); None when the tuning job has ended. JobFailure where it cannot go on."""
        job = self._store.get(TuningJob, self._name)
        if job.status.ended:
            return None
        strategy = self._strategy or self._recalled(job)
        for trial in ended:
            if trial_number(trial.name) in self._running:
                self._learn(job, strategy, trial)
        left = self._time_left(job)
        if job.status is TuningStatus.STOPPING or left <= 0:
            self.stop_trials()
            left = math.inf
        else:
            self._launch(job, strategy)
        if self._running:
            return left
        self._end(*self._outcome(job))
        return None

    def give_up(self, reason: str) -> None:
        """End the tuning job as failed, and stop the trials that run."""
        self.stop_trials()
        self._end(TuningStatus.FAILED, reason)

    def stop_trials(self) -> None:
        """Ask every running trial to stop; the training loop does it."""
        for number in sorted(self._running):
            self._store.update(TrainingJob, self._trials[number].name, lambda job: job.asked_to_stop(self._clock()))

    def _recalled(self, job: TuningJob) -> Strategy:
        """The strategy, told every trial that there is."""
        space, maximize = Space.parse(job.spec.ranges), job.spec.goal == "Maximize"
        strategy = create(job.spec.strategy, space, seed=_seed(job), maximize=maximize)
        trials = every(self._store, TrainingJob, Query(group=job.name, limit=1000))
        for trial in sorted(trials, key=lambda trial: trial_number(trial.name)):
            self._learn(job, strategy, trial)
        self._strategy = strategy
        return strategy

    def _learn(self, job: TuningJob, strategy: Strategy, trial: TrainingJob) -> None:
        number, running = trial_number(trial.name), not trial.status.ended
        value = None if running else objective(job, trial)
        strategy.tell(Trial(number=number, values=trial.tuned, objective=value, running=running))
        self._trials[number] = trial
        (self._running.add if running else self._running.discard)(number)

    def _launch(self, job: TuningJob, strategy: Strategy) -> None:
        while len(self._running) < job.spec.max_parallel and len(self._trials) < job.spec.max_jobs:
            number = len(self._trials) + 1
            values = None if self._hopeless() else strategy.ask(number)
            if values is None:
                return
            self._learn(job, strategy, self._inserted(self._record(job, number, values)))

    def _inserted(self, trial: TrainingJob) -> TrainingJob:
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

    def _record(self, job: TuningJob, number: int, values: Values) -> TrainingJob:
        spec, name, now = job.spec.training, trial_name(job.name, number), self._clock()
        arn = Arn.parse(job.arn)
        trial = TrainingJob(
            name=name,
            created_at=now,
            modified_at=now,
            arn=str(replace(arn, resource=TrainingJob.kind, name=name)),
            spec=replace(spec, hyperparameters={OBJECTIVE_KEY: job.spec.metric, **spec.hyperparameters, **values}),
            document=job.spec.training_document,
            parent=job.name,
            tuned=values,
            threads=self._threads(job),
        )
        return trial.enter(SecondaryStatus.PENDING, now, "Waiting for a free slot")

    def _threads(self, job: TuningJob) -> int:
        """What each host gets, so that the hosts that really run side by side share the cores."""
        hosts = min(job.spec.max_parallel, job.spec.max_jobs) * job.spec.training.instance_count
        return max(1, self._cores // min(hosts, self._side_by_side))

    def _time_left(self, job: TuningJob) -> float:
        limit = job.spec.max_runtime_s
        return math.inf if limit is None else job.created_at + limit - self._clock()

    def _ended_as(self, status: TrainingStatus) -> list[TrainingJob]:
        return [trial for _, trial in sorted(self._trials.items()) if trial.status is status]

    def _hopeless(self) -> bool:
        return len(self._ended_as(TrainingStatus.FAILED)) >= ATTEMPTS and not self._ended_as(TrainingStatus.COMPLETED)

    def _outcome(self, job: TuningJob) -> tuple[TuningStatus, str]:
        """How a tuning job ends whose last trial has ended, and why where it failed."""
        if job.status is TuningStatus.STOPPING:
            return TuningStatus.STOPPED, ""
        if any(objective(job, trial) is not None for trial in self._trials.values()):
            return TuningStatus.COMPLETED, ""
        failed, completed = self._ended_as(TrainingStatus.FAILED), self._ended_as(TrainingStatus.COMPLETED)
        if completed:
            return TuningStatus.FAILED, _no_objective(job, completed)
        if failed:
            return TuningStatus.FAILED, _all_failed(failed, given_up=len(self._trials) < job.spec.max_jobs)
        return TuningStatus.FAILED, (
            f"No training job completed: {len(self._trials)} were stopped before they did. Give the tuning job more "
            f"time (its limit is {job.spec.max_runtime_s or 'none'} s), or let its training jobs run to their end."
        )

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


def _seed(job: TuningJob) -> int:
    """The request's seed, or one of the tuning job's own that a restarted service finds again."""
    if job.spec.seed is not None:
        return job.spec.seed
    digest = hashlib.sha256(f"{job.arn} {job.created_at!r}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _all_failed(failed: list[TrainingJob], *, given_up: bool) -> str:
    first = failed[0]
    what = f"No training job succeeded after {len(failed)} attempts" if given_up else "All training jobs failed"
    return f"{what}. The first, {first.name}: {first.failure_reason or 'no reason was recorded; see its log'}"


def _no_objective(job: TuningJob, completed: list[TrainingJob]) -> str:
    regex = next((metric.regex for metric in job.spec.training.metrics if metric.name == job.spec.metric), "")
    return (
        f"No objective metrics found after running {len(completed)} training jobs. Please ensure that the custom "
        f"algorithm is emitting the objective metric as defined by the regular expression provided: no line of "
        f"{completed[0].name}'s log gave {job.spec.metric!r} a finite value by {regex!r}."
    )
