"""What the page is made of: the study, and what its sections draw of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sagehound.tuning.report.charts_of_objective import by_time, by_trial
from sagehound.tuning.report.hyperparameters import hyperparameters
from sagehound.tuning.report.importance import Importance, importance
from sagehound.tuning.report.learning_curves import learning_curves
from sagehound.tuning.report.parallel import parallel
from sagehound.tuning.report.plot import Plot
from sagehound.tuning.report.saving import Saving, saving
from sagehound.tuning.report.study import Study


@dataclass(frozen=True)
class Material:
    """A study and its charts, each drawn once."""

    study: Study

    @cached_property
    def objective(self) -> tuple[Plot, ...]:
        return tuple(plot for plot in (by_trial(self.study), by_time(self.study)) if plot is not None)

    @cached_property
    def curves(self) -> Plot | None:
        return learning_curves(self.study)

    @cached_property
    def parallel(self) -> Plot | None:
        return parallel(self.study)

    @cached_property
    def hyperparameters(self) -> tuple[Plot, ...]:
        """The ones that matter most first."""
        shares = self.importance.shares if self.importance else {}
        return tuple(hyperparameters(self.study, list(shares)))

    @cached_property
    def importance(self) -> Importance | None:
        return importance(self.study)

    @cached_property
    def saving(self) -> Saving | None:
        return saving(self.study)

    @property
    def plots(self) -> tuple[Plot, ...]:
        """Every chart of the page, in its order."""
        one = (self.parallel, self.curves)
        return (*self.objective, *(plot for plot in one if plot is not None), *self.hyperparameters)
