"""`sagehound tune`, but for the tuning job itself (tests/sdk/test_tune.py has one): bad input is refused."""

import pytest


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    return tmp_path / "photos"


@pytest.mark.parametrize(
    ("arguments", "words"),
    (
        (["--range", "lr=0.1:0.01"], "above maximum"),
        (["--range", "lr=0:0.1:log"], "needs a minimum above 0"),
        (["--range", "lr="], "is no range; write NAME=LOW:HIGH"),
        (["--range", "rate=0.1:0.2"], "no hyperparameter 'rate'; it has"),
        (["--set", "epochs"], "write NAME=VALUE"),
        (["--set", "epochs=0"], "epochs is 0; allowed is 1 or more"),
        (["--set", "lr=0.1", "--range", "lr=0.1:0.2"], "both searched and set"),
        (["--strategy", "Best"], "allowed are Bayesian, Random, Grid, Hyperband"),
        (
            ["--strategy", "Grid", "--trials", "3"],
            "lr, epochs have bounds; list the values, e.g. --range lr=0.001,0.01",
        ),
        (["--early-stopping", "--objective", "test loss"], "no trial can be stopped early by it"),
        (["--early-stopping", "--set", "validation-share=0.9"], "at most 0.5"),
        (["--metric", "loss=(.)"], "name it with --script"),
        (["--script", "nowhere.py"], "there is no script"),
        (["--weights", "nowhere.pth"], "there is no file"),
        (["--page", "/dev/null/page.html"], "the page cannot be written to /dev/null/page.html"),
    ),
)
def test_bad_input_starts_nothing(sagehound, photos, tmp_path, arguments, words):
    result = sagehound("tune", "--data", photos, *arguments)
    assert result.exit_code == 1
    assert words in " ".join(result.stderr.split())
    assert not (tmp_path / "home").exists()


def test_a_folder_that_is_not_there_is_named(sagehound, tmp_path):
    result = sagehound("tune", "--data", tmp_path / "none")
    assert result.exit_code == 1
    assert "there is no folder" in result.stderr
