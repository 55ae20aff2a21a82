"""Tanh and sigmoid layers whose inputs are too far out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sagehound.debug.finding import Finding
from sagehound.debug.judging.statistics import statistics
from sagehound.debug.rules.absence import has_other_activations
from sagehound.debug.rules.place import place
from sagehound.debug.rules.selection import chosen, of_layers, saved_layers
from sagehound.debug.rules.unit_activity import observations_for, unit_activity
from sagehound.debug.store.records import TensorInfo
from sagehound.debug.trial import Trial

TYPES = ("Tanh", "Sigmoid")


@dataclass(frozen=True)
class SaturatedActivation:
    """More than `threshold_layer` percent of the nodes of a tanh or sigmoid layer are saturated.

    Formula: a node is active where threshold_min < input < threshold_max of its function. Its activity is the share of
    samples (and of places in a feature map) in which it is, over the saved step and as many before it as make
    100 / threshold_inactivity observations (16 steps at most; less is not judged). Saturated is a node with
    100 * activity < threshold_inactivity; the rule fires where 100 * saturated / nodes > threshold_layer.

    Layers are the modules Tanh and Sigmoid; `tensor_regex` and `collection_names` narrow them. An input that the script
    saved itself (`hook.save_tensor`) and `tensor_regex` matches is judged as a sigmoid's where its name has "sigmoid"
    in it, else as a tanh's.

    Why it matters: beyond these limits the function's slope is next to nothing, so the layers before it get no gradient
    (Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural networks). Parameters and
    defaults are those of AWS's guide.
    """

    collection_names: tuple[str, ...] = ()
    tensor_regex: tuple[str, ...] = ()
    threshold_tanh_min: float = -9.4999
    threshold_tanh_max: float = 9.4999
    threshold_sigmoid_min: float = -23.0
    threshold_sigmoid_max: float = 16.99999
    threshold_inactivity: float = 1.0
    threshold_layer: float = 50.0

    name: ClassVar[str] = "SaturatedActivation"
    same_in_all_modes: ClassVar[bool] = True

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        wanted = None
        if self.collection_names:
            wanted = {info.name for info in chosen(trial, step, self.collection_names, self.tensor_regex)}
        for info in of_layers(trial, step, "input", TYPES, () if wanted is not None else self.tensor_regex):
            if wanted is not None and info.name not in wanted:
                continue
            saturated = self._saturated(trial, step, info)
            if saturated is not None and saturated > self.threshold_layer:
                yield self._finding(trial, step, info, saturated)

    def unable(self, trial: Trial) -> str:
        layers = saved_layers(trial, "input", TYPES, self.tensor_regex)
        if not layers and not self.tensor_regex and has_other_activations(trial, TYPES):
            return ""
        if not layers:
            return (
                "no input of a Tanh or Sigmoid module was saved; add a CollectionConfig whose include_regex matches "
                "their names, e.g. 'tanh.*_input'. A functional one (torch.tanh, F.sigmoid, within nn.LSTM) cannot be "
                "seen: use nn.Tanh, or hook.save_tensor and tensor_regex"
            )
        if any(self._saturated(trial, step, info) is not None for info, step in layers):
            return ""
        needed = observations_for(self.threshold_inactivity)
        return (
            f"the inputs of Tanh and Sigmoid that were saved do not tell: {needed} samples or places are needed, as "
            "values and not as reductions; save more often or larger batches"
        )

    def _saturated(self, trial: Trial, step: int, info: TensorInfo) -> float | None:
        """The percentage of saturated nodes; None where it is not known."""
        low, high = self._limits(info)
        if info.saved == "nothing":
            found = statistics(trial, info.name, step)
            if found.min is None or found.max is None:
                return None
            all_of_them, none_of_them = found.min >= high or found.max <= low, found.min > low and found.max < high
            return 100.0 if all_of_them else 0.0 if none_of_them else None
        if not info.shape:
            return None

        def outside(values: np.ndarray) -> np.ndarray:
            return (values <= low) | (values >= high)

        seen = unit_activity(trial, step, info, f"{low} to {high}", outside, self.threshold_inactivity)
        if seen.observations < observations_for(self.threshold_inactivity):
            return None
        return seen.below(self.threshold_inactivity)

    def _limits(self, info: TensorInfo) -> tuple[float, float]:
        if info.module_type == "Sigmoid" or "sigmoid" in info.name.lower():
            return self.threshold_sigmoid_min, self.threshold_sigmoid_max
        return self.threshold_tanh_min, self.threshold_tanh_max

    def _finding(self, trial: Trial, step: int, info: TensorInfo, saturated: float) -> Finding:
        low, high = self._limits(info)
        return Finding(
            rule=self.name,
            **place(trial, step, info),
            message=f"{saturated:.4g} % of the nodes of {info.name} lie outside {low:g} to {high:g} in more than "
            f"{100 - self.threshold_inactivity:.4g} % of what they see; the limit is {self.threshold_layer:.4g} %.",
            why="Out there the function is flat, so the layers before it get next to no gradient.",
            change="nn.init.xavier_uniform_(layer.weight) for the layer before it, nn.BatchNorm1d or nn.LayerNorm "
            "between them, inputs scaled to mean 0 and deviation 1, or nn.ReLU() in its place",
            numbers={
                "saturated_percent": saturated,
                "threshold_min": low,
                "threshold_max": high,
                "threshold_layer": self.threshold_layer,
            },
        )
