"""Recorded trainings that the tests of rules have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from sagehound.debug.finding import Finding
from sagehound.debug.rule import Rule
from sagehound.debug.store.records import Facts, Model, ModuleInfo, OptimizerInfo, ParameterInfo, TensorInfo
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun, info

Value = np.ndarray | float | Mapping[str, float]
RANDOM = np.random.default_rng(7)


def weight(name: str = "Net_fc.weight", module: str = "fc", module_type: str = "Linear", **more: object) -> TensorInfo:
    return info(name, "weight", module=module, module_type=module_type, **more)


def gradient(
    name: str = "Net_fc.weight", module: str = "fc", module_type: str = "Linear", **more: object
) -> TensorInfo:
    return info(f"gradient/{name}", "gradient", module=module, module_type=module_type, **more)


def output(module: str = "relu1", module_type: str = "ReLU", **more: object) -> TensorInfo:
    return info(f"{module}_output_0", "output", module=module, module_type=module_type, **more)


def layer_input(module: str = "relu1", module_type: str = "ReLU", **more: object) -> TensorInfo:
    return info(f"{module}_input_0", "input", module=module, module_type=module_type, **more)


LOSS = info("CrossEntropyLoss_output_0", "loss", module_type="CrossEntropyLoss")


def noise(*shape: int, scale: float = 1.0) -> np.ndarray:
    return (RANDOM.standard_normal(shape) * scale).astype(np.float32)


def trial_of(*steps: Mapping[TensorInfo, Value], model: Model | None = None) -> Trial:
    """A training of one update between any two of its saved steps."""
    run = RecordedRun(model)
    for number, tensors in enumerate(steps):
        run.save(tensors, facts=Facts(optimizer_steps=number))
    return run.end().trial()


def model_of(*modules: tuple[str, str], frozen: Iterable[str] = (), optimized: Iterable[str] = ()) -> Model:
    """Modules by path and type; parameters that are frozen, and those that the one optimizer holds."""
    held = [ParameterInfo(name=name, optimized=True) for name in optimized]
    return Model(
        modules=tuple(ModuleInfo(path, kind) for path, kind in modules),
        parameters=(*held, *(ParameterInfo(name=name, trainable=False) for name in frozen)),
        optimizers=(OptimizerInfo(type="SGD", parameters=len(held)),) if held else (),
    )


def at_each_step(rule: Rule, trial: Trial) -> list[Finding]:
    return [finding for step in trial.steps() for finding in rule.findings(trial, step)]


def tensors_found(rule: Rule, trial: Trial) -> list[str]:
    return [finding.tensor for finding in at_each_step(rule, trial)]
