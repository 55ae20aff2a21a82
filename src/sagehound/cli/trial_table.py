"""The trials of a tuning job as they go on: a table that lives in a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sagehound.cli.console import duration
from sagehound.cli.time_left import in_words, time_left_s
from sagehound.tuning.report.study import Outcome, Study, StudyTrial, short

#: What a running trial is doing is its log's last line, cut to so many characters.
_LINE = 48
#: Rows around the table: its head, the lines above, and room for the prompt.
_AROUND = 7
#: So many notes are shown under the table; the page has all.
_REMARKS = 3
_STYLES = {Outcome.FAILED: "red", Outcome.WITHOUT: "red", Outcome.STOPPED_EARLY: "yellow", Outcome.RUNNING: "cyan"}


class TrialTable:
    """Shows a study each time that it is read; `doing` gives what a running trial printed last."""

    def __init__(self, console: Console, doing: Callable[[StudyTrial], str]) -> None:
        self._console = console
        self._doing = doing
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._told: set[int] = set()
        self._remarked: set[str] = set()

    def __enter__(self) -> TrialTable:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    def show(self, study: Study) -> None:
        """The study as it is now."""
        if self._live:
            self._live.update(self._drawn(study), refresh=True)
            return
        for line in (*self._news(study), *self._remarks(study)):
            self._console.print(Text(line), soft_wrap=True)

    def _news(self, study: Study) -> Iterator[str]:
        """A line for each trial that has ended since the last look."""
        for trial in study.trials:
            if trial.outcome is Outcome.RUNNING or trial.number in self._told:
                continue
            self._told.add(trial.number)
            of = f" of {study.max_trials}" if study.max_trials else ""
            best = " (best so far)" if trial is study.best else ""
            values = " ".join(f"{name}={short(value)}" for name, value in trial.values.items())
            result = f"{study.metric} {trial.objective:.5g}{best}" if trial.objective is not None else "no value"
            why = f": {trial.failure.splitlines()[0]}" if trial.failure else ""
            left = f"; {in_words(time_left_s(study, study.read_s))}" if study.running else ""
            yield f"trial {trial.number}{of} {trial.outcome}{why}: {result}; {values}; {_took(trial, study)}{left}"

    def _remarks(self, study: Study) -> Iterator[str]:
        for remark in study.remarks:
            if remark not in self._remarked:
                self._remarked.add(remark)
                yield f"note: {remark}"

    def _drawn(self, study: Study) -> RenderableType:
        table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
        table.add_column("TRIAL", justify="right", no_wrap=True)
        for given in study.ranges:
            table.add_column(given.name, justify="right", no_wrap=True)
        table.add_column(study.metric, justify="right", no_wrap=True)
        table.add_column("TOOK", justify="right", no_wrap=True)
        table.add_column("STATUS", no_wrap=True, overflow="ellipsis")
        for trial in self._chosen(study):
            table.add_row(*self._row(trial, study))
        remarks = [Text(f"note: {remark}", style="yellow") for remark in study.remarks[:_REMARKS]]
        return Group(Text(headline(study)), table, *remarks)

    def _row(self, trial: StudyTrial, study: Study) -> list[Text]:
        values = [short(trial.values[each.name]) if each.name in trial.values else "–" for each in study.ranges]
        value, status = trial.objective, str(trial.outcome)
        if trial.outcome is Outcome.RUNNING:
            value = trial.curve[-1].value if trial.curve else None
            status = self._doing(trial)[:_LINE] or ("waits for its turn" if trial.started_s is None else "starts")
        shown = "" if value is None else f"{value:.5g}"
        is_best = trial is study.best
        style = "bold green" if is_best else _STYLES.get(trial.outcome, "")
        words = [str(trial.number), *values, shown, _took(trial, study), f"{status}, best" if is_best else status]
        return [Text(word, style=style) for word in words]

    def _chosen(self, study: Study) -> list[StudyTrial]:
        """As many trials as there is room for: the best and the newest, in their order."""
        width, height = self._console.size
        lines = sum(len(f"note: {remark}") // width + 1 for remark in study.remarks[:_REMARKS])
        room = max(height - _AROUND - lines, 4)
        newest = study.trials[-room:]
        if study.best is None or study.best in newest:
            return list(newest)
        return [study.best, *newest[1:]]


def headline(study: Study) -> str:
    """Where the search is, in two lines."""
    ended = len(study.trials) - len(study.of(Outcome.RUNNING))
    of = f" of {study.max_trials}" if study.max_trials else ""
    stopped, failed = len(study.of(Outcome.STOPPED_EARLY)), len(study.of(Outcome.FAILED))
    others = [f"{number} {word}" for number, word in ((stopped, "stopped early"), (failed, "failed")) if number]
    best, found = study.best, f"no value of {study.metric} yet"
    if best is not None and best.objective is not None:
        found = f"best {study.metric} {best.objective:.5g} (trial {best.number})"
    left = f", {in_words(time_left_s(study, study.read_s))}" if study.running else ""
    trials = f"{ended}{of} trials have ended{''.join(f', {word}' for word in others)}"
    return f"{study.name}: {study.status}, {duration(study.length_s)}{left}\n{trials}; {found}"


def _took(trial: StudyTrial, study: Study) -> str:
    end_s = trial.ended_s if trial.ended_s is not None else study.read_s
    return duration(max(end_s - (trial.started_s or trial.created_s), 0.0))
