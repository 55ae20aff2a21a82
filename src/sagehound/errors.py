"""Every exception of Sagehound.

    SagehoundError
    |- InvalidInput        a request, argument or file that can never work
    |  |- Unsupported      a documented SageMaker feature that is refused by name
    |- NotFound            no record, object or file of that name
    |- AlreadyExists       the name is taken
    |- IllegalTransition   the record's state does not allow it
    |- JobFailure          why a job or an endpoint ends as Failed; its text becomes FailureReason
    |- ObjectStoreError    the object store failed, or is out of reach
    |  |- ObjectStoreRefusal  it refused, and will again: a key, a permission, a name
    |- ServiceUnavailable  the local service does not run or does not answer
    |- ModelError          the user's own inference code raised
    |- DebuggerError       what a trial or a hook cannot do
       |- DebuggerTypeError, DebuggerValueError, DebuggerRuntimeError  also Python's own TypeError, ValueError ...
       |- DebuggerFileNotFoundError  no configuration at that path
       |- TensorUnavailable, TensorUnavailableForStep, ShapeUnavailableForStep
       |- StepUnavailable, StepNotYetAvailable, NoMoreData
       |- MissingCollectionFiles, InvalidWorker, InvalidCollectionConfiguration
       |- RuleEvaluationConditionMet, InsufficientInformationForRuleInvocation

A message says what was given, what is allowed, and what to do next.
"""


class SagehoundError(Exception):
    """The root: `except SagehoundError` catches everything that Sagehound raises on purpose."""

    @property
    def message(self) -> str:
        return str(self)


class InvalidInput(SagehoundError):
    """The input can never work as given."""


class Unsupported(InvalidInput):
    """The feature exists in SageMaker and is not offered here; the message names it."""


class NotFound(SagehoundError):
    """Nothing of that name exists."""


class AlreadyExists(SagehoundError):
    """Something of that name exists already."""


class IllegalTransition(SagehoundError):
    """The record's present state does not allow the change."""


class JobFailure(SagehoundError):
    """The reason why a job or an endpoint fails, worded for its owner."""


class ObjectStoreError(SagehoundError):
    """The object store failed or could not be reached; it may do better later."""


class ObjectStoreRefusal(ObjectStoreError):
    """The object store refused a request that it would refuse again."""


class ServiceUnavailable(SagehoundError):
    """The local service does not run, or does not answer."""


class ModelError(SagehoundError):
    """The user's inference code raised; the text is its exception."""


class DebuggerError(SagehoundError):
    """What a trial, a hook or a rule cannot do. The names below it are those of the original debugger."""


class DebuggerTypeError(DebuggerError, TypeError):
    """An argument of the wrong type."""


class DebuggerValueError(DebuggerError, ValueError):
    """An argument with a value that is not allowed."""


class DebuggerRuntimeError(DebuggerError, RuntimeError):
    """The hook is used in a state that does not allow it."""


class DebuggerFileNotFoundError(DebuggerError, FileNotFoundError):
    """The debugger's configuration is not where it was looked for."""


class TensorUnavailable(DebuggerError):
    """No tensor of that name was saved at any step."""


class TensorUnavailableForStep(DebuggerError):
    """The tensor was not saved at that step, or only its reductions were."""


class ShapeUnavailableForStep(DebuggerError):
    """The tensor's shape is not known at that step."""


class StepUnavailable(DebuggerError):
    """The step has passed and was not saved."""


class StepNotYetAvailable(DebuggerError):
    """The training has not come to that step yet."""


class NoMoreData(DebuggerError):
    """The training ended before that step."""


class MissingCollectionFiles(DebuggerError):
    """There is no debugger's data at that place, and none will come."""


class InvalidWorker(DebuggerError):
    """No worker of that name saved anything."""


class InvalidCollectionConfiguration(DebuggerError):
    """The collection names no tensors: it has neither a regex nor a tensor's name."""


class RuleEvaluationConditionMet(DebuggerError):
    """A rule fired. `rule_name`, `step` and `end_of_rule` as in the original."""

    def __init__(self, rule_name: str, step: int, end_of_rule: bool = False) -> None:
        super().__init__(f"Evaluation of the rule {rule_name} at step {step} resulted in the condition being met")
        self.rule_name, self.step, self.end_of_rule = rule_name, step, end_of_rule


class InsufficientInformationForRuleInvocation(DebuggerError):
    """A rule lacks what it needs to judge."""

    def __init__(self, rule_name: str, message: str) -> None:
        super().__init__(f"Insufficient information to invoke rule {rule_name}: {message}")
        self.rule_name = rule_name
