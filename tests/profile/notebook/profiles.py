"""Profiles that notebooks look at."""

from dataclasses import replace
from pathlib import Path

import pytest

from sagehound.profile.profile import Profile
from sagehound.testing.profile_files import write_profile
from sagehound.testing.recorded_profile import healthy


class Written:
    """A profile and where it was written to."""

    def __init__(self, folder: Path) -> None:
        recorded = replace(
            healthy(), nodes=("algo-1", "algo-2"), steps=60, gpus=1, cores=2, eval_every=30, eval_steps=5
        )
        self.profile: Profile = recorded.profile
        self.path = write_profile(self.profile, folder)
        self.first_us = int(recorded.start_s * 1e6)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Written:
    return Written(tmp_path_factory.mktemp("profile"))
