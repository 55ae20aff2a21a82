"""The profiler of a training that has no line for it."""

from __future__ import annotations

from sagehound.profile.config import TrainingProfile, config_file
from sagehound.profile.training_profiler import TrainingProfiler, current_profiler
from sagehound.watching.trouble import cause_of, say


def install(config_path: str | None = None) -> TrainingProfiler | None:
    """Profile whatever this process trains, as the request's JSON says, and goes on to say: a request that switches it
    off may switch it on later. What cannot be done is printed, and nothing is profiled then. Where there is a profiler
    already, that one."""
    try:
        known = current_profiler()
        if known is not None:
            return known
        config = TrainingProfile.from_json_file(config_path)
        return TrainingProfiler(config, config_file(config_path).absolute())
    except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
        say("profile", f"the training is not profiled: {cause_of(error)}")
        return None
