"""The base class of users' own rules."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from sagehound.debug.modes import ModeKeys
from sagehound.debug.tensor import Tensor
from sagehound.debug.trial import Trial
from sagehound.errors import DebuggerValueError, RuleEvaluationConditionMet, TensorUnavailable, TensorUnavailableForStep


class RequiredTensors:
    """The tensors that a rule asked for at a step, of its trial and of the others it was given."""

    def __init__(self, base_trial: Trial, other_trials: Iterable[Trial] | None = None) -> None:
        self.base_trial = base_trial
        self._wanted: dict[int, tuple[Trial, dict[str, list[int]]]] = {
            id(trial): (trial, {}) for trial in (base_trial, *(other_trials or ()))
        }

    def add(
        self, name: str, steps: Iterable[int], trial: Trial | None = None, should_match_regex: bool = False
    ) -> None:
        """Ask for a tensor, or for all whose names match, at global steps; TensorUnavailable where no step has it."""
        of, wanted = self._of(trial)
        names = of.tensor_names(regex=[name]) if should_match_regex else [name]
        for each in names:
            if not of.has_tensor(each):
                raise TensorUnavailable(f"Tensor {each} was not saved")
            wanted.setdefault(each, []).extend(steps)

    def get(self, trial: Trial | None = None) -> list[Tensor]:
        """The tensors that were asked for."""
        of, wanted = self._of(trial)
        return [of.tensor(name) for name in wanted]

    def get_names(self, trial: Trial | None = None) -> list[str]:
        return list(self._of(trial)[1])

    def get_tensor_steps(self, name: str, trial: Trial | None = None) -> list[int]:
        """The steps at which a tensor was asked for."""
        return self._of(trial)[1][name]

    def clear(self) -> None:
        for _, wanted in self._wanted.values():
            wanted.clear()

    def fetch(self) -> None:
        """Wait until everything is there; TensorUnavailableForStep where a step has passed without it."""
        for trial, wanted in self._wanted.values():
            trial.wait_for_steps(sorted({step for steps in wanted.values() for step in steps}))
            for name, steps in wanted.items():
                tensor = trial.tensor(name)
                for step in steps:
                    tensor.info(step)

    def _of(self, trial: Trial | None) -> tuple[Trial, dict[str, list[int]]]:
        found = self._wanted.get(id(trial or self.base_trial))
        if found is None:
            raise DebuggerValueError(f"{trial!r} is neither the rule's base_trial nor one of its other_trials")
        return found


class Rule(ABC):
    """A user's rule: say in `set_required_tensors` what a step must have, and in `invoke_at_step` whether it fires.

    `action_str` is kept for the original's callers. What a rule of a job does when it fires is said in the job's
    request (`rule_configs.ActionList`), and the service does it.

    >>> class LossAbove(Rule):
    ...     def __init__(self, base_trial, limit=1.0):
    ...         super().__init__(base_trial)
    ...         self.limit = float(limit)
    ...     def set_required_tensors(self, step):
    ...         self.req_tensors.add("loss", steps=[step])
    ...     def invoke_at_step(self, step):
    ...         return any(tensor.value(step) > self.limit for tensor in self.req_tensors.get())
    """

    def __init__(self, base_trial: Trial, action_str: str = "", other_trials: Sequence[Trial] | None = None) -> None:
        self.base_trial = base_trial
        self.other_trials = other_trials
        self.trials = [base_trial, *(other_trials or ())]
        self.req_tensors = RequiredTensors(base_trial, other_trials)
        self.action_str = action_str
        self.rule_name = type(self).__name__
        self.logger = logging.getLogger("sagehound.debug.rules")
        self.report: dict[str, Any] = {
            "RuleTriggered": 0,
            "Violations": 0,
            "Details": {},
            "Datapoints": 0,
            "RuleParameters": "",
        }

    def set_required_tensors(self, step: int) -> None:  # noqa: B027
        """Ask for what this step must have, with `self.req_tensors.add`. A step without it is passed over."""

    @abstractmethod
    def invoke_at_step(self, step: int) -> bool:
        """Whether the rule fires at this global step."""

    def invoke(self, step: int) -> None:
        """Judge one global step; RuleEvaluationConditionMet where the rule fires. Within it no trial changes."""
        self.base_trial.wait_for_steps([step], mode=ModeKeys.GLOBAL)
        with ExitStack() as still:
            for trial in self.trials:
                still.enter_context(_unchanging(trial))
            self.req_tensors.clear()
            self.set_required_tensors(step)
            self.req_tensors.fetch()
            fired = self.invoke_at_step(step)
        if fired:
            raise RuleEvaluationConditionMet(self.rule_name, step)


#: What it means that a step has nothing for a rule to judge.
NOTHING_TO_JUDGE = (TensorUnavailable, TensorUnavailableForStep)


@contextmanager
def _unchanging(trial: Trial) -> Iterator[None]:
    before, trial.dynamic_refresh = trial.dynamic_refresh, False
    try:
        yield
    finally:
        trial.dynamic_refresh = before
