"""How a tuning job ends, and why, in words for its user."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sagehound.records.training import SecondaryStatus, TrainingJob, TrainingStatus
from sagehound.records.tuning import TuningJob, TuningStatus, objective

#: After so many failed trials and no completed one, no more are made: SageMaker's own limit.
ATTEMPTS = 5
_MOST_CAUSES = 3
_CAUSE_LINES, _CAUSE_CHARACTERS = 2, 240
_VARIES = re.compile(r"0x[0-9a-f]+|\d+(\.\d+)?([eE][+-]?\d+)?")


def outcome(job: TuningJob, trials: Sequence[TrainingJob]) -> tuple[TuningStatus, str]:
    """The final status of a tuning job whose last trial has ended, and why where it failed. `trials` in the order in
    which they were made."""
    if job.status is TuningStatus.STOPPING:
        return TuningStatus.STOPPED, ""
    if any(objective(job, trial) is not None for trial in trials):
        return TuningStatus.COMPLETED, ""
    failed, completed = _of(trials, TrainingStatus.FAILED), _of(trials, TrainingStatus.COMPLETED)
    if completed:
        return TuningStatus.FAILED, _no_objective(job, completed)
    if failed:
        return TuningStatus.FAILED, _all_failed(failed, given_up=len(trials) < job.spec.max_jobs)
    return TuningStatus.FAILED, _all_stopped(job, trials)


def causes(failed: Iterable[TrainingJob]) -> list[tuple[str, list[TrainingJob]]]:
    """The failed trials by their cause, the most frequent first: the exception and its place, whatever numbers and
    addresses it has."""
    groups: dict[str, list[TrainingJob]] = {}
    for trial in failed:
        groups.setdefault(_VARIES.sub("#", _cause(trial)), []).append(trial)
    ranked = sorted(groups.values(), key=lambda group: -len(group))
    return [(_cause(group[0]), group) for group in ranked]


def _of(trials: Iterable[TrainingJob], status: TrainingStatus) -> list[TrainingJob]:
    return [trial for trial in trials if trial.status is status]


def _all_stopped(job: TuningJob, trials: Sequence[TrainingJob]) -> str:
    """Which limit it was, the training jobs' or the tuning job's, and what to raise."""
    what = "No training job completed"
    late = [trial for trial in trials if trial.secondary is SecondaryStatus.MAX_RUNTIME_EXCEEDED]
    if late:
        limits = sorted({trial.spec.max_runtime_s for trial in late})
        return (
            f"{what}: {len(late)} of {len(trials)} ran into the training jobs' own MaxRuntimeInSeconds, "
            f"{' and '.join(map(str, limits))} s. Raise it in the StoppingCondition of the training job definition "
            "(the SDK's max_run), or let the script take less time."
        )
    stopped = f"{what}: {len(trials)} were stopped before they did."
    if job.spec.max_runtime_s is None:
        return f"{stopped} Let the training jobs of the next tuning job run to their end."
    limit = f"its MaxRuntimeInSeconds is {job.spec.max_runtime_s} s"
    return f"{stopped} Give the tuning job more time ({limit}), or let its training jobs run to their end."


def _all_failed(failed: list[TrainingJob], *, given_up: bool) -> str:
    what = f"No training job succeeded after {len(failed)} attempts" if given_up else "All training jobs failed"
    found = causes(failed)
    if len(found) == 1:
        cause, group = found[0]
        many = f"All {len(group)} for the same reason" if len(group) > 1 else "The reason"
        return f"{what}. {many} (the first is {group[0].name}): {cause}"
    told = [f"{len(group)} of {len(failed)} ({group[0].name}): {cause}" for cause, group in found[:_MOST_CAUSES]]
    more = [f"and {len(found) - _MOST_CAUSES} other reasons"] if len(found) > _MOST_CAUSES else []
    return f"{what}, for several reasons. " + "; ".join([*told, *more])


def _cause(trial: TrainingJob) -> str:
    """The exception and its place, of a FailureReason that has much more."""
    reason = trial.failure_reason or "no reason was recorded; see its log"
    _, begin, message = reason.partition('ErrorMessage "')
    text = (message if begin else reason).split("\nLast lines of the log:")[0].split('"\nCommand "')[0]
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [reason]
    told = ", ".join(lines[:_CAUSE_LINES])
    return told if len(told) <= _CAUSE_CHARACTERS else f"{told[: _CAUSE_CHARACTERS - 3]}..."


def _no_objective(job: TuningJob, completed: list[TrainingJob]) -> str:
    first = completed[0]
    definition = job.spec.definition(first.definition)
    regex = next((metric.regex for metric in definition.training.metrics if metric.name == definition.metric), "")
    found = f"no line of {first.name}'s log gave {definition.metric!r} a finite value by {regex!r}."
    return (
        f"No objective metrics found after running {len(completed)} training jobs. Please ensure that the custom "
        "algorithm is emitting the objective metric as defined by the regular expression provided: "
        f"{first.unmatched or found}"
    )
