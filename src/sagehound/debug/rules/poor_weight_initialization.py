"""Weights that were initialised so that the network does not begin to learn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sagehound.debug.finding import Finding
from sagehound.debug.judging.statistics import read, statistics
from sagehound.debug.judging.step_memory import StepMemory
from sagehound.debug.modes import ModeKeys
from sagehound.debug.rules.place import place
from sagehound.debug.rules.selection import of_layers, saved_kinds, saved_layers, trains
from sagehound.debug.store.records import TensorInfo, written
from sagehound.debug.trial import Trial

TYPES = ("ReLU", "ReLU6", "LeakyReLU", "PReLU", "RReLU")
_SAMPLE = 65536


@dataclass(frozen=True)
class PoorWeightInitialization:
    """In the first `steps` saved training steps the signals in the network are out of proportion, and the loss does not
    fall.

    Formulas, at a step:

    - variances: max over layers of var(ReLU input) / min over layers > threshold;
    - gradients: min over weights of two or more axes of p95(g) - p5(g) < distribution_range;
    - loss: none of the last `patience` saved losses of the mode is below all before them, or the last is not finite.

    The rule fires where variances or gradients are out of proportion and the loss stalls. Where no loss is saved, the
    first two suffice. The guide says that the three are looked at to determine a poor initialisation; its table lets
    each of the first two decide by itself. They also hold in networks that learn well (the inputs of ReLUs in a
    pretrained ResNet-50 with a new head differ 130 times in variance, and the range of a gradient goes with the size of
    the network and the scale of its loss), which is why the loss has to confirm them here.

    Layers are the modules ReLU, ReLU6, LeakyReLU, PReLU and RReLU; `activation_inputs_regex` narrows them by name and
    adds what the script saved itself. Percentiles of more than 65,536 elements are those of as many taken at equal
    distance: the 5th lies between the true 4.8th and 5.2th (two standard errors).

    Why it matters: signals that grow or shrink from layer to layer leave some layers without a gradient and others with
    too much (Glorot and Bengio 2010; He et al. 2015, Delving deep into rectifiers). Parameters and defaults are those
    of AWS's guide.
    """

    activation_inputs_regex: tuple[str, ...] = ()
    threshold: float = 10.0
    distribution_range: float = 0.001
    patience: int = 5
    steps: int = 10

    name: ClassVar[str] = "PoorWeightInitialization"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        if not trains(trial, step):
            return
        early = [info for info in trial.infos(step) if self._is_early(trial, info.name, step)]
        inputs = of_layers(trial, step, "input", TYPES, self.activation_inputs_regex)
        activations = [info for info in inputs if info in early]
        gradients = [info for info in early if info.kind == "gradient" and len(info.shape) >= 2]
        if not activations and not gradients:
            return
        loss = self._loss(trial, step)
        if loss != "falls":
            yield from self._of_variances(trial, step, activations, loss)
            yield from self._of_gradients(trial, step, gradients, loss)

    def unable(self, trial: Trial) -> str:
        activations = saved_layers(trial, "input", TYPES, self.activation_inputs_regex)
        if activations or "gradient" in saved_kinds(trial):
            return ""
        return (
            "neither gradients nor inputs of ReLU modules were saved; add CollectionConfig(name='gradients'), or one "
            "whose include_regex matches the inputs, e.g. 'relu.*_input'. A functional ReLU (F.relu) cannot be seen"
        )

    def _of_variances(self, trial: Trial, step: int, inputs: list[TensorInfo], loss: str) -> Iterator[Finding]:
        variances = {
            info: variance
            for info in inputs
            if (variance := statistics(trial, info.name, step).variance) is not None and math.isfinite(variance)
        }
        if len(variances) < 2:
            return
        low, high = min(variances, key=lambda i: variances[i]), max(variances, key=lambda i: variances[i])
        ratio = variances[high] / variances[low] if variances[low] else math.inf
        if not variances[high] or ratio <= self.threshold:
            return
        times = f", {ratio:.3g} times less" if variances[low] else ""
        message = (
            f"The variance of what ReLUs get is {variances[high]:.3g} at {high.name} and {variances[low]:.3g} at "
            f"{low.name}{times}; the limit is {self.threshold:.3g} times, and the loss {loss}."
        )
        numbers: dict[str, float | str] = {"ratio": written(ratio), "threshold": self.threshold}
        yield self._finding(trial, step, low, message, numbers)

    def _of_gradients(self, trial: Trial, step: int, gradients: list[TensorInfo], loss: str) -> Iterator[Finding]:
        spreads = {info: spread for info in gradients if (spread := _spread(trial, step, info)) is not None}
        if not spreads:
            return
        least = min(spreads, key=lambda info: spreads[info])
        if spreads[least] >= self.distribution_range:
            return
        message = (
            f"The gradient of {least.name.removeprefix('gradient/')} spans {spreads[least]:.3g} from its 5th to its "
            f"95th percentile, less than {self.distribution_range:.3g}, and the loss {loss}."
        )
        numbers: dict[str, float | str] = {"range": spreads[least], "distribution_range": self.distribution_range}
        yield self._finding(trial, step, least, message, numbers)

    def _is_early(self, trial: Trial, name: str, step: int) -> bool:
        """Whether this is among the first steps of its mode that saved the tensor."""
        record = trial.saved.first(step)
        if record is None:
            return False
        before = trial.tensor(name).prev_steps(record.mode_step, self.steps + 1, ModeKeys[record.mode])
        return len(before) <= self.steps

    def _loss(self, trial: Trial, step: int) -> str:
        """ "falls", or what the loss does instead."""
        losses = next((info.name for info in trial.infos(step) if info.kind == "loss"), None)
        record = trial.saved.first(step)
        if losses is None or record is None:
            return "was not saved" if "loss" not in saved_kinds(trial) else "falls"
        mode, tensor = ModeKeys[record.mode], trial.tensor(losses)
        values = [float(np.mean(tensor.value(at, mode))) for at in tensor.prev_steps(record.mode_step, None, mode)]
        if not math.isfinite(values[-1]):
            return f"is {values[-1]}"
        if len(values) <= self.patience or min(values[-self.patience :]) < min(values[: -self.patience]):
            return "falls"
        return f"has not fallen for {self.patience} saved steps"

    def _finding(
        self, trial: Trial, step: int, info: TensorInfo, message: str, numbers: dict[str, float | str]
    ) -> Finding:
        return Finding(
            rule=self.name,
            **place(trial, step, info),
            message=message,
            why="Signals that grow or shrink from layer to layer leave some layers without a gradient.",
            change="nn.init.kaiming_normal_(layer.weight, nonlinearity='relu') and nn.init.zeros_(layer.bias) for each "
            "layer before a ReLU, nn.init.xavier_uniform_ before Tanh, or nn.BatchNorm2d between layers",
            numbers=numbers,
        )


_spreads: StepMemory[float | None] = StepMemory()


def _spread(trial: Trial, step: int, info: TensorInfo) -> float | None:
    """p95 - p5 of a tensor; None where it is not known or not finite."""
    return _spreads.get(trial, step, info.name, lambda: _computed_spread(read(trial, info.name, step)))


def _computed_spread(array: np.ndarray | None) -> float | None:
    if array is None or not array.size:
        return None
    flat = array.reshape(-1)
    with np.errstate(invalid="ignore"):  # between infinities
        low, high = np.percentile(flat[:: max(1, -(-flat.size // _SAMPLE))], (5, 95))
    return float(high - low) if math.isfinite(high - low) else None
