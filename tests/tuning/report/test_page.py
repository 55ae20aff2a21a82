"""The page of a tuning job: whole for every study, small, and with nothing in it that fetches."""

import doctest
import re
from dataclasses import replace
from random import Random

import pytest

from sagehound.tuning.report import scale
from sagehound.tuning.report import study as studies
from sagehound.tuning.report.page import SECTIONS, page, write_page
from sagehound.tuning.report.sections import trials
from sagehound.tuning.report.study import StudyTrial
from sagehound.tuning.space import Categorical, Continuous
from tests.tuning.report.studies import BEGIN_S, RANGES, study

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>'\"&\u202e\x00"
LIMIT_BYTES = 1_100_000
LARGEST_BYTES = 1_800_000


def failed(number: int) -> StudyTrial:
    reason = f"AlgorithmError: ValueError: batch of {number * 10} is too large, train.py line 7"
    values = {each.name: each.at(0.5) for each in RANGES}
    return StudyTrial(
        number=number, name=f"t-{number}", values=values, status="Failed", created_s=BEGIN_S, failure=reason
    )


def words(text: str) -> str:
    """The page's text, without its scripts and styles."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare))


@pytest.mark.parametrize("module", (scale, studies, trials), ids=lambda each: each.__name__)
def test_the_examples_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0


def test_the_first_screen_tells_the_best_and_how_to_train_it() -> None:
    told = words(page(study(40)))
    assert re.search(r"The best of 40 trials is trial \d+, with a validation loss of 0\.3\d+", told)
    assert "lower than the first trial with a value" in told
    assert "python -m sagehound.vision.train --data ~/photos" in told
    assert re.search(r"4 trials were stopped early, which saved about [\d.]+ s of training", told)
    assert "As many seconds on AWS" in told


@pytest.mark.parametrize(("number", "early"), ((1, False), (2, True), (40, True), (500, True)))
def test_every_size_of_study_is_one_small_file(number: int, early: bool, tmp_path) -> None:
    path = write_page(study(number, early=early), tmp_path / "deep" / "page.html")
    assert path.stat().st_size < LIMIT_BYTES
    assert list(path.parent.iterdir()) == [path]
    text = path.read_text()
    assert f"trial-{number}" in text or f">{number}<" in text or f">{number}, the best<" in text
    bare = re.sub(r"<script\b.*?</script>", " ", text, flags=re.S)
    assert not re.search(r"""(?:src|href)=["'](?!#)""", bare)


def test_the_most_that_sagemaker_searches_stays_a_file_to_send() -> None:
    ranges = tuple(Continuous(f"hyperparameter_{place}", 0.001, 1.0) for place in range(29))
    given = study(500)
    chance = Random(3)
    trials_ = tuple(
        replace(each, values={"lr": each.values["lr"], **{of.name: of.at(chance.random()) for of in ranges}})
        for each in given.trials
    )
    text = page(replace(given, ranges=(RANGES[0], *ranges), trials=trials_))
    assert len(text.encode()) < LARGEST_BYTES


def test_a_study_of_failures_names_the_common_cause_once() -> None:
    given = study(0, status="Failed", trials=tuple(failed(n) for n in range(1, 6)), best_name="", failure="All failed")
    told = words(page(given))
    assert "None of 5 trials ended with a value" in told
    assert told.count("5 trials: 1, 2, 3, 4, 5") == 1
    assert told.count("is too large, train.py line 7") == 1
    assert "Train it again" not in told


def test_a_running_study_says_that_it_is_not_finished() -> None:
    given = study(10, status="InProgress", ended_s=None)
    going = StudyTrial(
        number=11, name="t-11", values=dict(given.trials[0].values), status="InProgress", created_s=BEGIN_S
    )
    told = words(page(replace(given, trials=(*given.trials, going), max_trials=20)))
    assert "Not finished. 11 of 20 trials were started and 1 run" in told
    none = words(page(replace(given, trials=(going,), best_name="")))
    assert "No trial has ended with a value of validation loss yet" in none


def test_before_the_first_trial_the_page_is_whole() -> None:
    told = words(page(study(0, status="InProgress", ended_s=None)))
    assert "No trial has been started yet" in told


def test_values_that_only_some_trials_have_leave_gaps() -> None:
    given = study(12)
    ranges = (*RANGES, Categorical("optimizer", ("adam", "sgd")))
    some = tuple(
        replace(each, values={**each.values, "optimizer": "sgd"}, definition="second") if each.number % 2 else each
        for each in given.trials
    )
    told = words(page(replace(given, ranges=ranges, trials=some)))
    assert "A line has a gap where its trial does not use optimizer" in told
    assert "Definition" in told


def test_hostile_names_stay_text() -> None:
    given = study(6)
    ranges = (Continuous(HOSTILE, 0.1, 1.0), Categorical("b", (HOSTILE, "x")))
    some = tuple(
        replace(
            each,
            values={HOSTILE: "0.3", "b": HOSTILE},
            failure=HOSTILE,
            stopped_because=HOSTILE,
            metrics={HOSTILE: 1.0},
        )
        for each in given.trials
    )
    text = page(
        replace(
            given,
            name=HOSTILE,
            metric=HOSTILE,
            ranges=ranges,
            trials=some,
            command=HOSTILE,
            sdk=HOSTILE,
            failure=HOSTILE,
        )
    )
    assert "<img" not in text
    assert len(re.findall(r"<script", text)) == len(re.findall(r"</script", text)) == 5


def test_every_section_has_its_place() -> None:
    text = page(study(40))
    for key, _, _ in SECTIONS:
        assert f'id="{key}"' in text
        assert f'href="#{key}"' in text


def test_what_the_user_should_know_stands_above_the_best() -> None:
    given = study(5)
    told = page(replace(given, notes=("4 trials with different values all came to exactly 0.5 <b>",)))
    assert told.index("all came to exactly 0.5 &lt;b&gt;") < told.index("Train it again with")
    assert 'class="remark"' not in page(given)
