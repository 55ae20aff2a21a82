"""A trial in a folder."""

from sagehound.debug.create_trial import create_trial
from sagehound.debug.trial import Trial


def LocalTrial(name: str, dirname: str, **options: object) -> Trial:  # noqa: N802 (the original's name)
    """As `create_trial(dirname)`."""
    return create_trial(dirname, name=name, **options)  # type: ignore[arg-type]
