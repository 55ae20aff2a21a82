"""The profiler: what the machine did while a training ran, why it was slow, and a report worth reading.

    from sagehound import profile

    with profile("profile", steps=10) as p:
        for images, labels in p.steps(loader):
            ...

`profile` is this package, which can be called; `profile_training` is the same under a name that a type checker follows
(profiled_training.py). `steps(batches)` times a loop of a training that is profiled already, a job's, where its batches
come from no DataLoader. Nothing of torch is imported before that.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sagehound.profile.profiled_training import ProfiledTraining, profile_training, steps

__all__ = ["ProfiledTraining", "profile_training", "steps"]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name in __all__:
        from sagehound.profile import profiled_training

        return getattr(profiled_training, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _Package(ModuleType):
    """A package that profiles a training when it is called."""

    def __call__(self, *args: Any, **kwargs: Any) -> ProfiledTraining:  # noqa: ANN401
        from sagehound.profile.profiled_training import profile_training

        return profile_training(*args, **kwargs)


sys.modules[__name__].__class__ = _Package
