"""What the rules over GPUs share: the samples, and why there may be none."""

from __future__ import annotations

from collections.abc import Mapping

from sagehound.profile.findings.samples import series
from sagehound.profile.profile import Profile
from sagehound.profile.series import Series

NO_GPU = "there is no GPU on this machine"


def utilisation(profile: Profile) -> dict[tuple[str, str], Series]:
    """Each GPU's utilisation in percent, by node and name."""
    return series(profile, "GPUUtilization")


def memory(profile: Profile) -> dict[tuple[str, str], Series]:
    """Each GPU's memory in use in percent, by node and name."""
    return series(profile, "GPUMemoryUtilization")


def without(profile: Profile, samples: Mapping[tuple[str, str], Series]) -> str:
    """Why a rule over GPUs has nothing to judge; "" where it has."""
    if samples:
        return ""
    if profile.job.gpus:
        return "the GPU was not sampled; see the job's log for whether nvidia-smi could be read"
    return NO_GPU


def impatient(points: int, patience: int) -> str:
    """Why it is too early to judge, as `patience` says; "" where it is not."""
    if points > patience:
        return ""
    return f"{points} data points are too few: more than {patience} are waited for (patience)"
