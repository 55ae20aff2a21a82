"""The trials as they go on: a table in a terminal, a line a trial elsewhere."""

import io
from dataclasses import replace

from rich.console import Console

from sagehound.cli.trial_table import TrialTable, headline
from tests.tuning.report.studies import BEGIN_S, study


def running(number):
    """A study of which the last trial still runs."""
    whole = study(number)
    last = replace(whole.trials[-1], status="InProgress", ended_s=None, objective=None, stopped_because="")
    return replace(
        whole, trials=(*whole.trials[:-1], last), status="InProgress", ended_s=None, max_trials=40, read_s=BEGIN_S + 30
    )


def test_elsewhere_each_trial_that_ended_is_a_line_once():
    text = io.StringIO()
    with TrialTable(Console(file=text, width=400), lambda trial: "") as table:
        table.show(running(3))
        table.show(running(3))
        table.show(running(4))
    lines = text.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("trial 1 of 40 completed: validation loss 0.4")
    assert "batch_size=" in lines[0]
    assert lines[0].endswith("left")


def test_a_failed_trial_says_why():
    text = io.StringIO()
    with TrialTable(Console(file=text, width=400), lambda trial: "") as table:
        table.show(study(19))
    assert "trial 19 of 19 failed: AlgorithmError: OutOfMemoryError: 19 GB wanted, train.py line 41: no value" in (
        text.getvalue()
    )


def test_in_a_terminal_there_is_a_table_with_what_each_trial_does():
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=160, height=20, color_system=None)
    with TrialTable(console, lambda trial: "Train epoch: 2 [step 10/24]") as table:
        table.show(running(40))
    shown = text.getvalue()
    best = study(40).best
    assert "Train epoch: 2 [step 10/24]" in shown
    assert f"trial {best.number})" in shown
    assert "completed, best" in shown


def test_the_headline_counts():
    told = headline(running(40))
    assert "39 of 40 trials have ended, 3 stopped early, 2 failed; best validation loss" in told or "39 of 40" in told
    assert "no value of validation loss yet" in headline(study(0, status="InProgress"))


def test_notes_are_told_once_elsewhere_and_stand_under_the_table_in_a_terminal():
    noted = replace(running(3), notes=("no line of the log gave 'loss'",))
    trials = tuple(replace(each, notes=(f"momentum is not used by {each.name}",)) for each in noted.trials)
    noted = replace(noted, trials=trials)
    for terminal, number in ((False, 1), (True, 3)):  # a terminal is drawn anew at every look, and at the end
        text = io.StringIO()
        with TrialTable(Console(file=text, width=400, force_terminal=terminal), lambda trial: "") as table:
            table.show(noted)
            table.show(noted)
        told = text.getvalue()
        assert told.count("note: no line of the log gave 'loss'") == number
        assert told.count("note: Trial 1: momentum is not used") == number
        assert "Trial 2: momentum" not in told
