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
    return [info for info in trial.infos(step) if _is_chosen(info, collection_names, patterns)]


def chosen_at_some_step(trial: Trial, collection_names: Sequence[str], tensor_regex: Sequence[str]) -> str:
    """ "" where `chosen` found something at any step, or else what was looked for and what there is instead."""
    infos = [trial.info(name) for name in trial.tensor_names()]
    patterns = [re.compile(pattern) for pattern in tensor_regex]
    if any(_is_chosen(info, collection_names, patterns) for info in infos):
        return ""
    wanted = [f"collection {name!r}" for name in collection_names] + [f"regex {regex!r}" for regex in tensor_regex]
    there = ", ".join(info.name for info in infos[:5]) or "none"
    return f"no tensor of {' or '.join(wanted)} was saved; saved were {there}{', ...' if len(infos) > 5 else ''}"


def of_layers(
    trial: Trial, step: int, kind: Kind, types: Collection[str], tensor_regex: Sequence[str] = ()
) -> list[TensorInfo]:
    """The inputs or outputs of a step that belong to modules of these types.

    Patterns narrow them to the names that match. A tensor whose module's type is not known, because the script saved it
    itself (`save_tensor`) or the original debugger did, is taken where a pattern matches its name.
    """
    patterns = [re.compile(pattern) for pattern in tensor_regex if not _OF_THE_GUIDE.fullmatch(pattern)]
    return [
        info
        for info in trial.infos(step)
        if (info.kind == kind and info.module_type in types and (not patterns or _matches(patterns, info.name)))
        or (info.kind in ("custom", kind) and not info.module_type and _matches(patterns, info.name))
    ]


def saved_layers(
    trial: Trial, kind: Kind, types: Collection[str], tensor_regex: Sequence[str] = ()
) -> list[tuple[TensorInfo, int]]:
    """What `of_layers` finds over the whole trial, each tensor once, with the last global step that saved it."""
    last = {}
    for step in trial.steps():
        for info in of_layers(trial, step, kind, types, tensor_regex):
            last[info.name] = (info, step)
    return list(last.values())


def trains(trial: Trial, step: int) -> bool:
    """Whether a saved step belongs to training, as far as is known."""
    record = trial.saved.first(step)
    if record is None or record.mode not in TRAINING:
        return False
    return record.facts is None or record.facts.grad_enabled is not False


def untrained(trial: Trial, step: int) -> bool:
    """Whether nothing was updated before a saved step: zeros there may be how the weights were initialised."""
    record = trial.saved.first(step)
    if record is not None and record.facts is not None and record.facts.optimizer_steps is not None:
        return record.facts.optimizer_steps == 0
    return record is not None and record.mode_step == 0


def updated_between(trial: Trial, before: int, step: int) -> bool:
    """Whether an optimizer may have changed weights between two saved steps: it has, or that is not known. A single
    update with a learning rate of 0, as a warm-up begins, is none."""
    facts = trial.facts(before)
    first, last = facts.optimizer_steps, trial.facts(step).optimizer_steps
    if first is None or last is None:
        return True
    return last > first + (1 if facts.learning_rates and not any(facts.learning_rates) else 0)


def of_bias(info: TensorInfo) -> bool:
    """Whether a gradient is a bias's, also a recurrent layer's (`rnn.bias_hh_l0`)."""
    return "bias" in info.name.rpartition(".")[2]


def parameters_left_alone(trial: Trial) -> set[str]:
    """The names of parameters that the script means to keep: frozen, or left out of every optimizer that was seen."""
    model = trial.model
    return {p.name for p in model.parameters if not p.trainable or (model.optimizers and not p.optimized)}


def saved_kinds(trial: Trial) -> set[str]:
    """The kinds of the tensors that were saved at any step."""
    return {trial.info(name).kind for name in trial.tensor_names()}


def _is_chosen(info: TensorInfo, collection_names: Sequence[str], patterns: Sequence[re.Pattern[str]]) -> bool:
    named = any(name == "all" or name in info.collections for name in collection_names)
    return named or _matches(patterns, info.name)


def _matches(patterns: Iterable[re.Pattern[str]], name: str) -> bool:
    return any(pattern.search(name) for pattern in patterns)
