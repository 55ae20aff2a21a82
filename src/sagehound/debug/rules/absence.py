"""What a training did not do or have at all. That is no lack of data: a rule that looks for it has nothing to find."""

from __future__ import annotations

from collections.abc import Collection

from sagehound.debug.modes import ModeKeys
from sagehound.debug.trial import Trial

_ACTIVATIONS = {
    *("ReLU", "ReLU6", "LeakyReLU", "PReLU", "RReLU", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Softplus"),
    *("Tanh", "Sigmoid", "Hardswish", "Hardsigmoid", "Hardtanh", "LogSigmoid", "Softsign", "GLU"),
}


def has_none_of(trial: Trial, types: Collection[str]) -> bool:
    """Whether the model is known and has no module of these types."""
    modules = trial.model.modules
    return bool(modules) and not any(module.type in types for module in modules)


def has_other_activations(trial: Trial, types: Collection[str]) -> bool:
    """Whether the model's activations are modules, and none is of these types. Where it has no activation module at
    all, it may call functions (F.relu), which cannot be seen."""
    return has_none_of(trial, types) and not has_none_of(trial, _ACTIVATIONS)


def never_evaluated(trial: Trial) -> bool:
    """Whether the script told when it trains, and never said that it evaluates."""
    passed = trial.source.state().passed
    evaluated = trial.saved.numbers(ModeKeys.EVAL) or passed.get("EVAL", -1) >= 0
    return bool(trial.saved.numbers(ModeKeys.TRAIN)) and not evaluated


def without_classes(trial: Trial) -> bool:
    """Whether losses are known, and none was given numbers of classes as labels."""
    facts = [trial.facts(step) for step in trial.steps()]
    return any(each.loss for each in facts) and all(each.labels_min is None for each in facts)
