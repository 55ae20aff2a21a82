"""Which tensors of a step a rule looks at."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from sagehound.debug.store.records import Kind, TensorInfo
from sagehound.debug.trial import Trial

#: Patterns that the guide gives as a rule's default or in its example. They are made for other frameworks' names
#: (`relu1_output_0` does not match). Given as a parameter they mean the default: layers by their type.
_OF_THE_GUIDE = re.compile(r"(\.\*(relu|ReLU|tanh|sigmoid)_(in|out)put\|?)+")

#: Modes whose steps train: GLOBAL is what runs while no mode is set.
TRAINING = ("TRAIN", "GLOBAL")


def chosen(trial: Trial, step: int, collection_names: Sequence[str], tensor_regex: Sequence[str]) -> list[TensorInfo]:
    """The tensors of a step that are in one of the collections or match one of the patterns: the union, as in the
    guide. Nothing given chooses nothing."""
    patterns = [re.compile(pattern) for pattern in tensor_regex]
    return [
        info
        for info in trial.infos(step)
        if any(name == "all" or name in info.collections for name in collection_names)
        or any(pattern.search(info.name) for pattern in patterns)
    ]


def of_layers(
    trial: Trial, step: int, kind: Kind, types: Collection[str], tensor_regex: Sequence[str] = ()
) -> list[TensorInfo]:
    """The inputs or outputs of a step that belong to modules of these types.

    Patterns narrow them to the names that match. A tensor that the script saved itself (`save_tensor`) has no module:
    it is taken where a pattern matches its name.
    """
    patterns = [re.compile(pattern) for pattern in tensor_regex if not _OF_THE_GUIDE.fullmatch(pattern)]
    return [
        info
        for info in trial.infos(step)
        if (info.kind == kind and info.module_type in types and (not patterns or _matches(patterns, info.name)))
        or (info.kind == "custom" and _matches(patterns, info.name))
    ]


def trains(trial: Trial, step: int) -> bool:
    """Whether a saved step belongs to training, as far as is known."""
    record = trial.saved.first(step)
    if record is None or record.mode not in TRAINING:
        return False
    return record.facts is None or record.facts.grad_enabled is not False


def parameters_left_alone(trial: Trial) -> set[str]:
    """The names of parameters that the script means to keep: frozen, or left out of every optimizer that was seen."""
    model = trial.model
    return {p.name for p in model.parameters if not p.trainable or (model.optimizers and not p.optimized)}


def saved_kinds(trial: Trial) -> set[str]:
    """The kinds of the tensors that were saved at any step."""
    return {trial.info(name).kind for name in trial.tensor_names()}


def _matches(patterns: Iterable[re.Pattern[str]], name: str) -> bool:
    return any(pattern.search(name) for pattern in patterns)
