"""`sagehound tune` and `sagehound report` against a running service, with a script that takes no time."""

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import threading

import boto3
import pytest
from typer.testing import CliRunner

from sagehound.cli.application import app
from sagehound.client import activate
from tests.sdk.conftest import SCRIPTS, kill_service, start_service
from tests.sdk.waiting import eventually
from tests.vision.images import class_folders, split_folders

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


@pytest.mark.parametrize("make", (class_folders, split_folders))
def test_trials_on_photos_without_a_validation_folder_are_stopped_by_held_out_ones(active, home, tmp_path, make):
    folder = make(tmp_path / make.__name__, 8)  # the store is one for all tests, and so is a folder of a name
    unclean = folder / ".." / folder.name
    words = ["tune", "--data", unclean, "--home", home, "--page", tmp_path, "--json", "--early-stopping"]
    words += ["--range", "lr=0.001:0.1:log", "--set", "image_size=32", "--set", "epochs=3", "--trials", 2]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.stderr
    assert "each trial holds out 0.15 of every class's training photos" in " ".join(result.stderr.split())
    found = json.loads(result.stdout)
    assert found["objective"] == "validation loss"

    command = shlex.split(found["command"])
    assert command[:5] == ["python", "-m", "sagehound.vision.train", "--data", str(folder.resolve())]
    done = subprocess.run([sys.executable, *command[1:]], cwd=tmp_path, capture_output=True, text=True, check=True)
    losses = re.findall(r"Validation set: Average loss: ([0-9\.]+)", done.stdout)
    assert float(losses[-1]) == pytest.approx(found["best"]["value"], rel=1e-6)


def test_where_every_trial_fails_the_page_says_why(tune, tmp_path):
    folder = tmp_path / "pages"
    folder.mkdir()
    arguments = ["--range", "lr=0.001:0.1", "--set", "unknown=1", "--trials", 2, "--name", "failing"]
    result, _ = tune(*arguments, "--page", folder)
    assert result.exit_code == 1
    assert "no trial of" in result.stderr
    assert "Failed trials" in (folder / "failing.html").read_text()


def test_an_objective_that_no_line_gives_is_told_with_what_is_like_it(tune, sm, home):
    result, page = tune("--range", "lr=0.001:0.1", "--trials", 2, "--name", "unlike", "--metric", "loss=test set: (.*)",
                        "--objective", "loss")  # fmt: skip
    assert result.exit_code == 1
    assert "Lines that are like it: 'Test set: Average loss" in result.stderr
    assert result.stderr.count("note: ") == 1
    assert page.read_text().count('class="remark"') == 1
    shown = CliRunner().invoke(app, ["jobs", "unlike", "--home", str(home)])
    assert "note       no line of unlike-00" in shown.stdout


class Terminal:
    """`sagehound tune` in a process of its own whose streams are a terminal: what it showed, and what is typed."""

    def __init__(self, arguments):
        self._ours, theirs = pty.openpty()
        words = [sys.executable, "-m", "sagehound.cli", *map(str, arguments)]
        self.process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        self.shown = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        try:
            while piece := os.read(self._ours, 4096):
                self.shown += piece.decode(errors="replace")
        except OSError:  # Linux says so that the other side has closed.
            return

    def see(self, pattern):
        return eventually(lambda: re.search(pattern, self.shown), deadline_s=30)

    def type(self, text):
        os.write(self._ours, text.encode())

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def end(self):
        status = self.process.wait(30)
        self._reader.join()
        os.close(self._ours)
        return status


@pytest.fixture
def slow(home, photos, tmp_path):
    """The words of a tuning job whose trials take a minute each."""
    own = ["--script", SCRIPTS / "steps.py", "--metric", f"loss={REGEX}", "--page", tmp_path / "page.html"]
    search = ["--range", "lr=0.001:0.1", "--set", "pause=1", "--set", "epochs=60", "--trials", "4"]
    return lambda name: ["tune", "--data", photos, "--home", home, "--name", name, *own, *search]


def status(sm, name):
    return sm.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)["HyperParameterTuningJobStatus"]


def test_ctrl_c_asks_and_stops_the_tuning_job(slow, sm, tmp_path):
    terminal = Terminal(slow("interrupted"))
    terminal.see("Test set: Average loss")
    terminal.interrupt()
    terminal.see(r"Stop interrupted\?")
    terminal.type("\n")
    assert terminal.end() == 1
    assert "interrupted stops; its running trials get SIGTERM" in terminal.shown
    assert "Traceback" not in terminal.shown
    assert status(sm, "interrupted") == "Stopped"
    assert "interrupted" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize("answer", ["n", "Ctrl-C"])
def test_ctrl_c_lets_it_go_on_where_nobody_says_that_it_should_stop(slow, sm, answer):
    name = f"left-{answer}"
    terminal = Terminal(slow(name))
    terminal.see("InProgress")
    terminal.interrupt()
    terminal.see(rf"Stop {name}\?")
    if answer == "n":
        terminal.type("n\n")
    else:
        terminal.interrupt()
    assert terminal.end() != 0
    assert f"{name} goes on. Look at it: sagehound jobs {name}" in terminal.shown
    assert "Traceback" not in terminal.shown
    assert status(sm, name) == "InProgress"
    sm.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def test_ctrl_c_stops_it_unasked_where_there_is_no_terminal(slow, sm):
    words = [sys.executable, "-m", "sagehound.cli", *map(str, slow("piped"))]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert next(line for line in process.stderr if line.startswith("piped minimizes"))
        eventually(lambda: sm.list_training_jobs(NameContains="piped")["TrainingJobSummaries"])
        trial = sm.list_training_jobs(NameContains="piped")["TrainingJobSummaries"][0]["TrainingJobName"]
        eventually(lambda: sm.describe_training_job(TrainingJobName=trial)["SecondaryStatus"] == "Training")
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "piped was stopped before a trial had ended" in told
    assert status(sm, "piped") == "Stopped"


def test_a_stopped_trial_that_is_better_than_the_best_is_told(home, photos, sm, tmp_path):
    page = tmp_path / "page.html"
    own = ["--script", SCRIPTS / "lingers.py", "--metric", f"loss={REGEX}", "--page", page, "--name", "lingering"]
    words = ["tune", "--data", photos, "--home", home, *own, "--range", "loss=0.5,0.125", "--strategy", "Grid"]
    command = [sys.executable, "-m", "sagehound.cli", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        eventually(lambda: next(line for line in process.stderr if "completed: loss 0.5" in line))
        eventually(lambda: latest_objective(sm, "lingering") == 0.125)
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Best of 2 trials: loss 0.5" in told
    assert re.search(r"Trial \d, lingering-00\d-\w+, had come to a loss of 0.125, a better value than the best", told)
    line = f"python {SCRIPTS / 'lingers.py'} --loss 0.125"
    assert f"Train it to its end:\n  SM_CHANNEL_TRAINING={photos} {line}" in told
    assert line in page.read_text()


def latest_objective(sm, name):
    """The last value that the trial reported which still runs."""
    trials = sm.list_training_jobs(NameContains=name, StatusEquals="InProgress")["TrainingJobSummaries"]
    described = [sm.describe_training_job(TrainingJobName=each["TrainingJobName"]) for each in trials]
    return next((each["Value"] for job in described for each in job.get("FinalMetricDataList", [])), None)


def test_where_the_service_dies_it_is_told_what_goes_on_and_it_does(own_home, photos, tmp_path):
    start_service(own_home)
    own = ["--script", SCRIPTS / "steps.py", "--metric", f"loss={REGEX}", "--page", tmp_path / "page.html"]
    search = [
        "--range",
        "lr=0.001:0.1",
        "--set",
        "pause=0.5",
        "--set",
        "epochs=30",
        "--trials",
        "2",
        "--name",
        "orphan",
    ]
    words = ["tune", "--data", photos, "--home", own_home, *own, *search]
    terminal = Terminal(words)
    terminal.see("Test set: Average loss")
    kill_service(own_home)
    assert terminal.end() == 1
    told = " ".join(terminal.shown.split())
    assert f"the service of {own_home} does not answer any more" in told
    assert "Trials that run go on without it, and orphan goes on with the next: sagehound up --detach." in told
    assert "Then look at it: sagehound jobs orphan; its page: sagehound report orphan" in told
    assert "Traceback" not in told

    start_service(own_home)
    activate(own_home)
    sm, logs = boto3.client("sagemaker"), boto3.client("logs")
    eventually(lambda: status(sm, "orphan") == "Completed", deadline_s=60)
    trials = sm.list_training_jobs(NameContains="orphan")["TrainingJobSummaries"]
    assert [each["TrainingJobStatus"] for each in trials] == ["Completed"] * 2
    for trial in trials:
        found = logs.filter_log_events(
            logGroupName="/aws/sagemaker/TrainingJobs",
            logStreamNamePrefix=f"{trial['TrainingJobName']}/",
            filterPattern='"Test set"',
        )
        assert len(found["events"]) == 30
