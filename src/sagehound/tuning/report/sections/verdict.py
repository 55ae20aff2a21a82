"""The first screen: the best configuration, how to train it, what it took."""

from __future__ import annotations

from statistics import median

from sagehound.pages.markup import Html, element, markup
from sagehound.pages.pieces import note, section
from sagehound.pages.prices import AS_OF, REGION, usd
from sagehound.pages.units import count, duration, share
from sagehound.tuning.report.material import Material
from sagehound.tuning.report.passed_over import passed_over, sentence
from sagehound.tuning.report.study import Outcome, Study, StudyTrial, short, shown

_INKS = {
    Outcome.COMPLETED: 1,
    Outcome.STOPPED_EARLY: 4,
    Outcome.STOPPED: 6,
    Outcome.WITHOUT: 2,
    Outcome.FAILED: 7,
    Outcome.RUNNING: 8,
}


def verdict(material: Material) -> Html:
    """Read in ten seconds: a sentence, the values, the command."""
    study = material.study
    return section(
        "verdict",
        "The best configuration" if study.best else "What came of it",
        element("p", _sentence(study), class_="lead"),
        _still_running(study),
        element("p", study.failure, class_="failure") if study.failure else None,
        [element("p", remark, class_="remark") for remark in study.remarks],
        _configuration(study.best, study) if study.best else None,
        _passed_over(study),
        _outcomes(study),
        element("p", _took(study), " ", _saved(material)),
        _cost(study),
    )


def _sentence(study: Study) -> str:
    best, tried = study.best, count(len(study.trials), "trial")
    if best is None or best.objective is None:
        if study.running:
            return f"No trial has ended with a value of {study.metric} yet; {tried} so far."
        return f"None of {tried} ended with a value of {study.metric}."
    return f"The best of {tried} is trial {best.number}, with a {study.metric} of {best.objective:.5g}.{_than(study)}"


def _than(study: Study) -> str:
    """How much better than the first trial, and than the median."""
    best = study.best
    every = [trial.objective for trial in study.trials if trial.objective is not None]
    if best is None or best.objective is None or len(every) < 3:
        return ""
    said = []
    for what, value in (("the first trial with a value", every[0]), ("the median", median(every))):
        if value and study.better(best.objective, value):
            word = "higher" if study.maximize else "lower"
            said.append(f"{share(abs(best.objective - value), abs(value))} {word} than {what} ({value:.5g})")
    return f" That is {' and '.join(said)}." if said else ""


def _still_running(study: Study) -> Html | None:
    if not study.running:
        return None
    going = len(study.of(Outcome.RUNNING))
    planned = f" of {study.max_trials}" if study.max_trials else ""
    return element(
        "p",
        element("strong", "Not finished. "),
        f"{len(study.trials)}{planned} trials were started and {going} run. "
        "This page is a state of it; it is written anew while the tuning job runs.",
        class_="running",
    )


def _configuration(best: StudyTrial, study: Study) -> Html:
    values = [(name, short(value), shown(value)) for name, value in best.values.items()]
    facts = [
        element("div", element("dt", name), element("dd", text, title=whole if whole != text else None))
        for name, text, whole in values
    ]
    others = [f"{name} {value:.5g}" for name, value in best.metrics.items() if name != study.metric]
    return markup(
        element("dl", facts, class_="facts best"),
        element("p", "It also reported: ", ", ".join(others), ".", class_="note") if others else None,
        _copied("command", "Train it again with", study.command),
        element("details", element("summary", "With the SageMaker SDK"), _copied("sdk", "", study.sdk))
        if study.sdk
        else None,
    )


def _passed_over(study: Study) -> Html | None:
    trial = passed_over(study)
    if trial is None:
        return None
    told = element("p", sentence(study, trial), class_="remark passed-over")
    if not study.passed_over_command:
        values = ", ".join(f"{name} {shown(value)}" for name, value in trial.values.items())
        return markup(told, element("p", f"Train it to its end with its values: {values}.", class_="note"))
    return markup(told, _copied("passed-over-command", "Train it to its end with", study.passed_over_command))


def _copied(key: str, words: str, text: str) -> Html | None:
    if not text:
        return None
    button = element("button", "Copy", type="button", class_="needs-live copy", data_copy=key)
    return element(
        "div",
        element("p", words, " ", button) if words else element("p", button),
        element("pre", element("code", text, id=key)),
        class_="command",
    )


def _outcomes(study: Study) -> Html:
    counts = [(outcome, len(study.of(outcome))) for outcome in _INKS if study.of(outcome)]
    whole = len(study.trials)
    pieces = [
        element("span", class_=f"c{_INKS[outcome]}", style=f"flex-grow:{number}", title=f"{number} {outcome}")
        for outcome, number in counts
    ]
    rows = [
        element(
            "li",
            element("span", "\N{NO-BREAK SPACE}", class_=f"key c{_INKS[outcome]}", aria_hidden="true"),
            element("span", outcome.capitalize(), class_="label"),
            " ",
            element("span", number, class_="share"),
            " ",
            element("span", share(number, whole), class_="seconds"),
        )
        for outcome, number in counts
    ]
    return markup(
        element("div", pieces, class_="parts thin", aria_hidden="true"),
        element("ul", rows, class_="legend", aria_label="What became of the trials"),
    )


def _took(study: Study) -> str:
    trained = sum(trial.seconds or 0.0 for trial in study.trials)
    so_far = " so far" if study.running else ""
    side = f"{study.max_parallel} side by side" if study.max_parallel > 1 else "one after the other"
    return f"It took {duration(study.length_s)}{so_far}, {side}; the trials trained for {duration(trained)} together."


def _saved(material: Material) -> str:
    saved = material.saving
    if saved is None:
        return "No trial was stopped early." if material.study.early_stopping else ""
    stopped = f"{count(saved.trials, 'trial')} {'was' if saved.trials == 1 else 'were'} stopped early"
    if not saved.reports:
        return f"{stopped}; how much longer they would have taken is not known."
    return (
        f"{stopped}, which saved about {duration(saved.seconds)} of training: {saved.reports} of {saved.planned} "
        "epochs that the trials were given."
    )


def _cost(study: Study) -> Html | None:
    seconds = sum(trial.seconds or 0.0 for trial in study.trials)
    charged = usd(study.instance_type, seconds, study.instances)
    if charged is None or not seconds:
        return None
    return note(
        f"As many seconds on AWS's {study.instance_type} cost {charged:,.2f} USD (on-demand list price as known in "
        f"{AS_OF}, {REGION}); a machine of that type is not as fast as this one, so the seconds would differ."
    )
