"""The debugger's rules of a training job, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from sagehound.records.record import Record, Transitions


class RuleStatus(StrEnum):
    """What a rule has said so far. A rule that found something goes on looking, and stays `IssuesFound`."""

    IN_PROGRESS = "InProgress"
    NO_ISSUES_FOUND = "NoIssuesFound"
    ISSUES_FOUND = "IssuesFound"
    ERROR = "Error"
    STOPPING = "Stopping"
    STOPPED = "Stopped"


class ActionKind(StrEnum):
    """What a rule may do when it fires for the first time."""

    STOP_TRAINING = "StopTraining"
    EMAIL = "Email"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAction:
    """`target` is the prefix of the job to stop (empty: the rule's own), or the address to write to."""

    kind: ActionKind
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DebugRule:
    """One rule of a job: `name` is its own in the job, `invoked` the built-in rule's or the class's in `source_uri`,
    the S3 address of a custom rule's Python file. Its findings go under `<output_uri>/<job>/rule-output/<name>`."""

    name: str
    invoked: str
    parameters: dict[str, str] = field(default_factory=dict)
    source_uri: str = ""
    output_uri: str = ""
    actions: tuple[RuleAction, ...] = ()


_VERDICTS = frozenset({RuleStatus.NO_ISSUES_FOUND, RuleStatus.ISSUES_FOUND, RuleStatus.ERROR, RuleStatus.STOPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEvaluation(Record):
    """The evaluation of one rule of the training job `parent`, `rule` being its name in that job.

    `ended` tells that nothing more will come: a rule that found something may go on. `acted` tells that its actions
    were taken, which happens once, and `outcome` what they did.
    """

    kind: ClassVar[str] = "rule-evaluation"
    transitions: ClassVar[Transitions] = {
        RuleStatus.IN_PROGRESS: _VERDICTS | {RuleStatus.STOPPING},
        RuleStatus.STOPPING: _VERDICTS,
    }

    arn: str
    parent: str
    rule: str
    status: RuleStatus = RuleStatus.IN_PROGRESS
    details: str = ""
    ended: bool = False
    acted: bool = False
    outcome: str = ""

    @property
    def state(self) -> str:
        """What a restarted service asks for: those that go on."""
        return "Ended" if self.ended else "GoingOn"
