"""The debugger: what a training computes, saved while it runs, and rules that look for what goes wrong.

    import sagehound.debug as smd

    hook = smd.Hook(out_dir="tensors", save_config=smd.SaveConfig(save_interval=10), include_collections=["gradients"])
    hook.register_module(model)
    hook.register_loss(criterion)
    ...
    trial = smd.create_trial("tensors")
    trial.tensor("CrossEntropyLoss_output_0").values()

Each name is imported when it is first asked for, so that a program that reads a trial does without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

# These two have the names of their modules, which would stand here in their place had they to be asked for.
from sagehound.debug.create_trial import create_trial
from sagehound.debug.modes import ModeKeys, modes

if TYPE_CHECKING:
    from sagehound.debug.config.collection import Collection, CollectionKeys
    from sagehound.debug.config.reduction_config import ReductionConfig
    from sagehound.debug.config.save_config import SaveConfig, SaveConfigMode
    from sagehound.debug.finding import Finding
    from sagehound.debug.hook import Hook
    from sagehound.debug.judging.custom_rule import Rule
    from sagehound.debug.judging.invocation import invoke_rule
    from sagehound.debug.singleton import del_hook, get_hook, set_hook
    from sagehound.debug.trial import Trial

__all__ = [
    "Collection",
    "CollectionKeys",
    "Finding",
    "Hook",
    "ModeKeys",
    "ReductionConfig",
    "Rule",
    "SaveConfig",
    "SaveConfigMode",
    "Trial",
    "create_trial",
    "del_hook",
    "get_hook",
    "invoke_rule",
    "modes",
    "set_hook",
]

_WHERE = {
    "Collection": "config.collection",
    "CollectionKeys": "config.collection",
    "Finding": "finding",
    "Hook": "hook",
    "ReductionConfig": "config.reduction_config",
    "Rule": "judging.custom_rule",
    "SaveConfig": "config.save_config",
    "SaveConfigMode": "config.save_config",
    "Trial": "trial",
    "del_hook": "singleton",
    "get_hook": "singleton",
    "invoke_rule": "judging.invocation",
    "set_hook": "singleton",
}


_WITH_TORCH = {"hook", "singleton"}


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    if _WHERE[name] in _WITH_TORCH:
        # First, because a job's hook is installed as soon as torch is there, and would find the module half made.
        import_module("torch")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return __all__
