"""`sagehound tune` and `sagehound report` against a running service, with a script that takes no time."""

import json

import pytest
from typer.testing import CliRunner

from sagehound.cli.application import app
from tests.sdk.conftest import SCRIPTS

REGEX = r"Test set: Average loss: ([0-9\.]+)"


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    (tmp_path / "photos" / "cat" / "a.jpg").write_bytes(b"not looked at")
    return tmp_path / "photos"


@pytest.fixture
def tune(active, home, photos, tmp_path):
    def run(*arguments):
        page = tmp_path / "page.html"
        own = ["--script", SCRIPTS / "steps.py", "--metric", f"average test loss={REGEX}", "--page", page]
        words = ["tune", "--data", photos, "--home", home, *own, *arguments]
        return CliRunner().invoke(app, [str(word) for word in words]), page

    return run


def test_a_folder_is_tuned_told_and_written(tune, session, home, tmp_path):
    result, page = tune("--range", "lr=0.001:0.1:log", "--range", "epochs=2:4", "--trials", 4, "--seed", 7, "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["status"] == "Completed"
    assert [trial["outcome"] for trial in found["trials"]] == ["completed"] * 4
    assert found["best"]["value"] == min(trial["objective"] for trial in found["trials"])
    assert found["command"].startswith(f"SM_CHANNEL_TRAINING={tmp_path}/photos python {SCRIPTS / 'steps.py'} --lr ")
    assert "trial 4 of 4 completed: average test loss" in result.stderr
    told = page.read_text()
    assert found["name"] in told
    assert "Learning curves" in told  # every epoch's loss, from the log

    from sagemaker.tuner import HyperparameterTuner

    best = HyperparameterTuner.attach(found["name"], sagemaker_session=session).best_estimator()
    assert best.hyperparameters()["lr"] == found["best"]["values"]["lr"]

    again = tmp_path / "again.html"
    result = CliRunner().invoke(app, ["report", found["name"], "-o", str(again), "--home", str(home)])
    assert result.exit_code == 0, result.stderr
    assert "The best of 4 trials" in again.read_text()


def test_where_every_trial_fails_the_page_says_why(tune):
    result, page = tune("--range", "lr=0.001:0.1", "--set", "unknown=1", "--trials", 2)
    assert result.exit_code == 1
    assert "no trial of" in result.stderr
    assert "Failed trials" in page.read_text()
