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
