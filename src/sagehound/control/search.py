"""What is searched in the trials of one definition of a tuning job."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sagehound.records.training import TrainingJob, TrainingStatus
from sagehound.records.tuning import Definition, TuningJob
from sagehound.tuning.catalogue import create
from sagehound.tuning.resource import Resource
from sagehound.tuning.space import Space, Values
from sagehound.tuning.trial import Trial
from sagehound.tuning.verdict import Verdict


class Search:
    """A definition's strategy, and the numbers that it knows the trials by: each definition counts its own, from 1."""

    def __init__(self, job: TuningJob, definition: Definition) -> None:
        spec = job.spec
        self.definition = definition
        #: Whether what a trial prints on its way decides if it goes on.
        self.judges = spec.judges_while_training
        self._space = Space.parse(definition.ranges)
        self._strategy = create(
            spec.strategy,
            self._space,
            seed=_seed(job, definition),
            maximize=job.maximizes,
            early_stopping=spec.early_stopping,
            resource=Resource(spec.least_resource, spec.most_resource) if spec.most_resource else None,
        )
        self._numbers: dict[str, int] = {}
        self._exhausted = False

    @property
    def asked(self) -> int:
        """How many trials it has had."""
        return len(self._numbers)

    @property
    def exhausted(self) -> bool:
        """Whether there is nothing left to try."""
        size = self._space.size
        return self._exhausted or (size is not None and self.asked >= size)

    def inherit(self, trials: Iterable[tuple[TrainingJob, float]]) -> None:
        """Learn from trials of parents, with their objectives; those outside the space say nothing here."""
        number = 0
        for trial, objective in trials:
            values = self._space.adopted(trial.spec.hyperparameters | trial.tuned)
            if values is not None:
                self._strategy.tell(Trial(number=number, values=values, objective=objective))
                number -= 1

    def ask(self) -> Values | None:
        """The values of the next trial; None where there is nothing left to try."""
        values = self._strategy.ask(self.asked + 1)
        self._exhausted = values is None
        return values

    def tell(self, trial: TrainingJob, objective: float | None, curve: tuple[float, ...]) -> None:
        """How far `trial` is, or what it came to. Trials are told first in the order in which they were made."""
        number = self._numbers.setdefault(trial.name, self.asked + 1)
        running = not trial.status.ended
        self._strategy.tell(
            Trial(
                number=number,
                values=trial.tuned,
                objective=None if running else objective,
                running=running,
                curve=curve,
                stopped=trial.status is TrainingStatus.STOPPED and not trial.finished,
            )
        )

    def verdict(self, trial: TrainingJob) -> Verdict | None:
        """Why `trial` should be stopped now; None to let it go on."""
        return self._strategy.verdict(self._numbers[trial.name])


def _seed(job: TuningJob, definition: Definition) -> int:
    """The request's seed, or one of the tuning job's own that a restarted service finds again. Of several definitions
    each has another; so has a search with parents, which would else try what they tried with the same seed."""
    place, parents = job.spec.definitions.index(definition), job.spec.parents
    if job.spec.seed is not None and place == 0 and not parents:
        return job.spec.seed
    parts = [f"{job.arn} {job.created_at!r}" if job.spec.seed is None else str(job.spec.seed), *parents]
    digest = hashlib.sha256("/".join([*parts, str(place)] if place else parts).encode()).digest()
    return int.from_bytes(digest[:4], "big")
