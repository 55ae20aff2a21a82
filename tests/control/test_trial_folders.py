"""What the folders of trials show."""

import pytest

from sagehound.control.trial_folders import TrialFolders


@pytest.fixture
def folders(tmp_path):
    (tmp_path / "dogs-001").mkdir()
    return TrialFolders(tmp_path, lambda: 5.0)


def test_the_curve_of_a_trial_is_read_on(folders, tmp_path):
    path = folders.metrics_path("dogs-001")
    assert folders.curve("dogs-001", "loss") == ()
    path.write_text('{"name": "loss", "value": 0.5, "at": 1.0}\n')
    assert folders.curve("dogs-001", "loss") == (0.5,)
    folders.forget("dogs-001")
    assert folders.curve("dogs-001", "loss") == (0.5,)
    assert folders.curve("dogs-002", "loss") == ()


def test_a_line_goes_into_a_log_that_is_there(folders, tmp_path):
    folders.say("dogs-001", "a word")
    assert not (tmp_path / "dogs-001" / "algo-1.log").exists()
    (tmp_path / "dogs-001" / "algo-1.log").write_text("1000 begun\n")
    folders.say("dogs-001", "a word")
    assert (tmp_path / "dogs-001" / "algo-1.log").read_text() == "1000 begun\n5000 a word\n"


def test_lines_like_the_objective_are_shown_of_every_host_and_none_of_our_own(folders, tmp_path):
    (tmp_path / "dogs-001" / "algo-1.log").write_text("1 sagehound: loss 1\n1 LOSS: 0.5\n")
    (tmp_path / "dogs-001" / "algo-2.log").write_text("1 loss: nan\n")
    told = folders.unmatched("dogs-001", "loss", "loss: ([0-9.]+)")
    assert "'LOSS: 0.5'" in told
    assert "'loss: nan' (the value is no finite number)" in told
    assert "sagehound" not in told


def test_a_log_with_nothing_like_it_says_so(folders):
    assert "none is like it: does the script print it?" in folders.unmatched("dogs-001", "loss", "loss: (.*)")
