"""A tuning job watched until it ends, and what is said of it then."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import typer

from sagehound.cli.connection import Connection
from sagehound.cli.console import duration, err, progress, say, say_table
from sagehound.cli.study_reader import StudyReader
from sagehound.cli.trial_table import TrialTable
from sagehound.errors import ServiceUnavailable
from sagehound.tuning.report.passed_over import passed_over, sentence
from sagehound.tuning.report.study import Outcome, Study, short

_POLL_S = 0.5
#: The page of a running job is written anew when a trial has ended, but not more often than this: it takes the
#: processor from the trials.
_PAGE_S = 15.0
_LOOK = "sagehound jobs {name}; its page: sagehound report {name}; end it: sagehound stop {name}"


def watch(connection: Connection, name: str, page: Path) -> Study:
    """Show the tuning job until it has ended, and write its page; after Ctrl-C it is stopped, if the user says so.
    ServiceUnavailable where the service goes away meanwhile."""
    from botocore.exceptions import ConnectionError, HTTPClientError

    try:
        return _watched_or_stopped(connection, name, page)
    except (ConnectionError, HTTPClientError) as lost:
        raise ServiceUnavailable(
            f"the service of {connection.home} does not answer any more ({lost}). Trials that run go on without it, "
            f"and {name} goes on with the next: sagehound up --detach. Then look at it: {_LOOK.format(name=name)}; why "
            f"the service ended may stand in {connection.home / 'service.log'}"
        ) from lost


def _watched_or_stopped(connection: Connection, name: str, page: Path) -> Study:
    try:
        return _watched(StudyReader(connection, name), page)
    except KeyboardInterrupt:
        if not _is_to_stop(name):
            raise
    connection.client("sagemaker").stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    progress(f"{name} stops; its running trials get SIGTERM and a little time. Once more Ctrl-C leaves it to that.")
    return _watched(StudyReader(connection, name), page)


def _is_to_stop(name: str) -> bool:
    """Whether to stop the tuning job: asked in a terminal, taken for granted elsewhere."""
    if not err.is_terminal:
        return True
    # Once more Ctrl-C, or the end of the input, is no answer: what is not said is not done.
    with contextlib.suppress(typer.Abort):
        if typer.confirm(f"\nStop {name}? What has ended so far is kept.", default=True, err=True):
            return True
    progress(f"{name} goes on. Look at it: {_LOOK.format(name=name)}")
    return False


def _watched(reader: StudyReader, page: Path) -> Study:
    written_s, ended = time.monotonic(), -1
    with TrialTable(err, reader.doing) as table:
        while True:
            study = reader.read()
            table.show(study)
            if not study.running:
                break
            now_ended = len(study.trials) - len(study.of(Outcome.RUNNING))
            if now_ended != ended and time.monotonic() - written_s > _PAGE_S:
                write(study, page)
                written_s, ended = time.monotonic(), now_ended
            time.sleep(_POLL_S)
    write(study, page)
    return study


def write(study: Study, path: Path) -> None:
    """Write the page; Bokeh and Optuna are loaded for the first one."""
    from sagehound.tuning.report.page import write_page

    write_page(study, path)


def say_end(study: Study, page: Path) -> None:
    """The best configuration, where the page is, and what to type next."""
    ended = "Stopped" if study.status == "Stopped" else "Ended"
    progress(f"{ended} after {duration(study.length_s)}.")
    if study.failure:
        progress(study.failure)
    best = study.best
    if best is not None and best.objective is not None:
        where = f"trial {best.number}, {best.name}"
        say(f"Best of {len(study.trials)} trials: {study.metric} {best.objective:.5g} ({where})")
        say_table(("HYPERPARAMETER", "VALUE"), [(name, short(value)) for name, value in best.values.items()])
        others = [f"{name} {value:.5g}" for name, value in best.metrics.items() if name != study.metric]
        if others:
            say(f"It also reported {', '.join(others)}.")
    if study.command:
        say(f"\nTrain it again:\n  {study.command}")
    better = passed_over(study)
    if better is not None:
        train = study.passed_over_command or f"(its values: sagehound jobs {better.name})"
        say(f"\n{sentence(study, better)} Train it to its end:\n  {train}")
    say(f"\nAll of it, for a browser: {page}")
