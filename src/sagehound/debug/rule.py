"""The contract of a built-in rule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Protocol

from sagehound.debug.finding import Finding
from sagehound.debug.trial import Trial


class Rule(Protocol):
    """One kind of fault. An implementation is a frozen dataclass of the rule's documented parameters with their
    defaults; its docstring says what it detects, by which formula, why it matters, and where that comes from.

    - `name` is what `rule_to_invoke` says.
    - `findings` judges one saved global step by what the trial holds up to it, never by later steps; that the training
      has ended with it may count. The same trial and step give the same findings, in whatever order steps are asked
      for: what is kept between calls (StepMemory, Running) only saves work. A step that lacks what the rule looks at
      gives none.
    - `same_in_all_modes`, where a rule has it and it is true, says that a tensor found bad in one mode is not news in
      another.
    - `unable` says, of a trial that has ended, why the rule could judge nothing ("no gradients were saved; add
      CollectionConfig(name='gradients')"); "" where it could, and where what it looks for did not happen in the
      training: no evaluation, no clipping, no dropout. What was not saved is a reason; what was not there is none.
    """

    name: ClassVar[str]

    def findings(self, trial: Trial, step: int) -> Iterable[Finding]: ...
    def unable(self, trial: Trial) -> str: ...


class Watch(Protocol):
    """A rule that also judges silence: called now and then while nothing new is saved."""

    def while_idle(self, trial: Trial, idle_s: float) -> Iterable[Finding]: ...
