"""Small things for programs that look at trials."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sagehound.debug.config.reduction_config import truth
from sagehound.debug.trial import Trial


@contextmanager
def no_refresh(trials: Trial | Sequence[Trial]) -> Iterator[Trial | Sequence[Trial]]:
    """Within it trials do not look for new steps."""
    with _dynamic_refresh(trials, False):
        yield trials


@contextmanager
def refresh(trials: Trial | Sequence[Trial]) -> Iterator[Trial | Sequence[Trial]]:
    """Within it trials look for new steps."""
    with _dynamic_refresh(trials, True):
        yield trials


def parse_list_from_str(arg: str | list[str], delimiter: str = ",") -> list[str]:
    """The parts of a text, or the list itself."""
    parts = arg.split(delimiter) if isinstance(arg, str) else arg
    return [part.strip() for part in parts if part.strip()]


def parse_bool(arg: object, default: bool) -> bool:
    """A flag from its text; `default` for None."""
    return default if arg is None else truth("the flag", arg)


@contextmanager
def _dynamic_refresh(trials: Trial | Sequence[Trial], value: bool) -> Iterator[None]:
    known = [trials] if isinstance(trials, Trial) else list(trials)
    before = [trial.dynamic_refresh for trial in known]
    for trial in known:
        trial.dynamic_refresh = value
    try:
        yield
    finally:
        for trial, old in zip(known, before, strict=True):
            trial.dynamic_refresh = old
