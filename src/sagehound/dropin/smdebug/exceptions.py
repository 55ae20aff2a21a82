"""The exceptions, by the original's names: each is one that `sagehound.errors` has."""

from sagehound.errors import (
    DebuggerError,
    InsufficientInformationForRuleInvocation,
    InvalidCollectionConfiguration,
    InvalidWorker,
    MissingCollectionFiles,
    NoMoreData,
    RuleEvaluationConditionMet,
    ShapeUnavailableForStep,
    StepNotYetAvailable,
    StepUnavailable,
    TensorUnavailable,
    TensorUnavailableForStep,
)
from sagehound.errors import DebuggerError as SMDebugError
from sagehound.errors import DebuggerRuntimeError as SMDebugRuntimeError
from sagehound.errors import DebuggerTypeError as SMDebugTypeError
from sagehound.errors import DebuggerValueError as SMDebugValueError

__all__ = [
    "IndexReaderException",
    "InsufficientInformationForRuleInvocation",
    "InvalidCollectionConfiguration",
    "InvalidWorker",
    "MissingCollectionFiles",
    "NoMoreData",
    "NoMoreProfilerData",
    "RuleEvaluationConditionMet",
    "SMDebugCustomerError",
    "SMDebugError",
    "SMDebugNotImplementedError",
    "SMDebugRuntimeError",
    "SMDebugTypeError",
    "SMDebugValueError",
    "ShapeUnavailableForStep",
    "StepNotYetAvailable",
    "StepUnavailable",
    "TensorUnavailable",
    "TensorUnavailableForStep",
]


class SMDebugCustomerError(DebuggerError):
    """Nothing raises it here; scripts may catch it."""


class SMDebugNotImplementedError(DebuggerError, NotImplementedError):
    """Nothing raises it here; scripts may catch it."""


class IndexReaderException(DebuggerError):
    """Nothing raises it here; scripts may catch it."""


class NoMoreProfilerData(DebuggerError):
    """Nothing raises it here; scripts may catch it."""
