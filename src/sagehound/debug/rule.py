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
    - `findings` judges one saved global step by what the trial holds up to it, never by later steps. It keeps nothing
      between calls: the same trial and step give the same findings, in whatever order steps are asked for. A step
      that lacks what the rule looks at gives none.
    - `unable` says, of a trial that has ended, why the rule could judge nothing ("no gradients were saved; add
      CollectionConfig(name='gradients')"); "" where it could.
    """

    name: ClassVar[str]

    def findings(self, trial: Trial, step: int) -> Iterable[Finding]: ...
    def unable(self, trial: Trial) -> str: ...


class Watch(Protocol):
    """A rule that also judges silence: called now and then while nothing new is saved."""

    def while_idle(self, trial: Trial, idle_s: float) -> Iterable[Finding]: ...
