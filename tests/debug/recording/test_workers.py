import pytest

from sagehound.debug.recording.workers import rank_and_size

VARIABLES = ("RANK", "WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "SM_CURRENT_HOST_RANK", "SM_HOST_COUNT")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, (0, 1)),
        ({"RANK": "2", "WORLD_SIZE": "4"}, (2, 4)),
        ({"SM_CURRENT_HOST_RANK": "1", "SM_HOST_COUNT": "2"}, (1, 2)),
        ({"SM_CURRENT_HOST_RANK": "1", "SM_HOST_COUNT": "2", "RANK": "3", "WORLD_SIZE": "4"}, (3, 4)),
        ({"RANK": "x", "WORLD_SIZE": "4"}, (0, 1)),
    ],
)
def test_what_started_the_processes_says_which_this_is(monkeypatch, given, found):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert rank_and_size() == found
