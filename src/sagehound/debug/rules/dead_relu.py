"""ReLUs that have stopped to pass anything on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sagehound.debug.finding import Finding
from sagehound.debug.judging.statistics import statistics
from sagehound.debug.rules.absence import has_other_activations
from sagehound.debug.rules.place import place
from sagehound.debug.rules.selection import of_layers, saved_layers
from sagehound.debug.rules.unit_activity import observations_for, unit_activity
from sagehound.debug.store.records import TensorInfo
from sagehound.debug.trial import Trial

#: Modules whose units can die: below zero they have neither output nor gradient. A LeakyReLU has both.
TYPES = ("ReLU", "ReLU6")


@dataclass(frozen=True)
class DeadRelu:
    """More than `threshold_layer` percent of a layer's ReLUs are active in less than `threshold_inactivity` percent of
    what they see.

    Formula: the activity of a unit is the share of samples (and of places in a feature map) with output > 0, over the
    saved step and as many before it as make 100 / threshold_inactivity observations (16 steps at most; less is not
    judged). Dead is a unit with 100 * activity < threshold_inactivity; the rule fires where 100 * dead / units >
    threshold_layer. A unit is a channel after a convolution, a feature after a linear layer.

    Layers are the modules ReLU and ReLU6; `tensor_regex` narrows them by name, and adds what the script saved itself
    (`hook.save_tensor`). The guide's default `.*relu_output`, which matches no name in PyTorch, means all of them.

    Why it matters: a ReLU that is never active has no gradient, so nothing brings it back (Maas et al. 2013, Rectifier
    nonlinearities improve neural network acoustic models; Lu et al. 2019, Dying ReLU and initialization). Parameters
    and defaults are those of AWS's guide.
    """

    tensor_regex: tuple[str, ...] = ()
    threshold_inactivity: float = 1.0
    threshold_layer: float = 50.0

    name: ClassVar[str] = "DeadRelu"
    same_in_all_modes: ClassVar[bool] = True

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        for info in of_layers(trial, step, "output", TYPES, self.tensor_regex):
            dead = self._dead(trial, step, info)
            if dead is not None and dead > self.threshold_layer:
                yield self._finding(trial, step, info, dead)

    def unable(self, trial: Trial) -> str:
        layers = saved_layers(trial, "output", TYPES, self.tensor_regex)
        if not layers and not self.tensor_regex and has_other_activations(trial, TYPES):
            return ""
        if not layers:
            return (
                "no output of a ReLU module was saved; add a CollectionConfig whose include_regex matches their names, "
                "e.g. 'relu.*_output'. A functional ReLU (F.relu, torch.relu) cannot be seen: use nn.ReLU, or "
                "hook.save_tensor and tensor_regex"
            )
        if any(self._dead(trial, step, info) is not None for info, step in layers):
            return ""
        needed = observations_for(self.threshold_inactivity)
        return (
            f"the outputs of ReLUs that were saved do not tell: {needed} samples or places are needed, as values and "
            "not as reductions; save more often or larger batches"
        )

    def _dead(self, trial: Trial, step: int, info: TensorInfo) -> float | None:
        """The percentage of dead units; None where it is not known."""
        if info.saved == "nothing":
            high = statistics(trial, info.name, step).max
            return 100.0 if high is not None and high <= 0 else None
        if not info.shape:
            return None
        found = unit_activity(trial, step, info, "relu", _not_positive, self.threshold_inactivity)
        if found.observations < observations_for(self.threshold_inactivity):
            return None
        return found.below(self.threshold_inactivity)

    def _finding(self, trial: Trial, step: int, info: TensorInfo, dead: float) -> Finding:
        return Finding(
            rule=self.name,
            **place(trial, step, info),
            message=f"{dead:.4g} % of the units of {info.name} are active in less than "
            f"{self.threshold_inactivity:.4g} % of what they see; the limit is {self.threshold_layer:.4g} %.",
            why="A ReLU that is never active has no gradient, so these units do not learn and do not come back.",
            change=f"nn.LeakyReLU(0.01) in place of {info.module or info.name}, a learning rate ten times lower, or "
            "nn.BatchNorm2d before the activation",
            numbers={
                "dead_percent": dead,
                "threshold_inactivity": self.threshold_inactivity,
                "threshold_layer": self.threshold_layer,
            },
        )


def _not_positive(values: np.ndarray) -> np.ndarray:
    return values <= 0
