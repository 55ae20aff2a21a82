"""A loss that is NaN or infinite, or runs away."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from sagehound.debug.finding import Finding
from sagehound.debug.judging.statistics import statistics
from sagehound.debug.rules.history import alike, any_loss, back, loss_at, losses
from sagehound.debug.rules.loss_curve import course, first_values
from sagehound.debug.rules.selection import trains
from sagehound.debug.store.records import TensorInfo
from sagehound.debug.trial import Trial

#: Saved steps before the bad loss that are searched for the first bad tensor.
_SEARCHED = 5
#: Saved steps that make up where a loss began, and that it has to stay away for to have diverged.
_BEGINNING, _SUSTAINED = 10, 3


@dataclass(frozen=True)
class LossNotFinite:
    """A loss is NaN or infinite, or has grown to `divergence_factor` times its beginning.

    Formula: the loss of a step is not finite and that of the saved step before (same mode) was, or there is none. The
    finding names the first tensor that went bad: the earliest of the last 5 saved steps with one, and in it the first
    in the order in which the hook saw them. Divergence: the last 3 saved losses of training each exceed
    divergence_factor times the median of the first 10, and the step before these 3 did not.

    Why it matters: after one NaN every weight is NaN, and nothing that follows is training. Sources: PyTorch's forum,
    where NaN losses are asked about most (log or division by zero, a rate too high, NaN in the data, half precision
    out of range); torch.autograd.detect_anomaly; fastai's learning rate finder calls a loss of four times the best
    diverged, and the factor here is wider because a beginning is no best.
    """

    divergence_factor: float = 10.0
    tensor_regex: tuple[str, ...] = ()

    name: ClassVar[str] = "LossNotFinite"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        for loss in losses(trial, step, self.tensor_regex):
            values = [loss_at(trial, record, loss) for record in islice(alike(trial, step), 2)]
            if values and values[0] is not None and not math.isfinite(values[0]):
                if len(values) == 1 or values[1] is None or math.isfinite(values[1]):
                    yield self._not_finite(trial, step, loss, values[0])
            elif trains(trial, step):
                yield from self._diverged(trial, step, loss)

    def unable(self, trial: Trial) -> str:
        if not any_loss(trial, tensor_regex=self.tensor_regex):
            return "no losses were saved; add CollectionConfig(name='losses') and register the loss with the hook"
        return ""

    def _not_finite(self, trial: Trial, step: int, loss: str, value: float) -> Finding:
        at, first = _first_bad(trial, step) or (step, None)
        named = first.name if first is not None and first.name != loss else ""
        where = f" The first tensor that went bad is {named}, at global step {at}." if named else ""
        return Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode=trial.mode(step).name,
            tensor=loss,
            module=first.module if first is not None else "",
            message=f"{loss} is {value} at step {trial.mode_step(step)}.{where}",
            why="From one NaN on, every gradient and weight becomes NaN, and nothing more is learned.",
            change="torch.autograd.set_detect_anomaly(True) names the operation; then a tenth of the learning rate, "
            "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0), an epsilon within log() and division, and a "
            "look for NaN in the data",
            numbers={"loss": str(value), "first_bad": named or loss, "first_bad_global_step": at},
        )

    def _diverged(self, trial: Trial, step: int, loss: str) -> Iterator[Finding]:
        last = course(trial, step, loss, _SUSTAINED + 1).values.tolist()
        began = [value for value in first_values(trial, step, loss, _BEGINNING) if math.isfinite(value)]
        if len(last) <= _SUSTAINED or len(began) < _BEGINNING:
            return
        beginning = sorted(began)[len(began) // 2]
        limit = self.divergence_factor * beginning
        if beginning > 0 and all(value > limit for value in last[1:]) and not last[0] > limit:
            yield Finding(
                rule=self.name,
                step=trial.mode_step(step),
                mode=trial.mode(step).name,
                tensor=loss,
                message=f"{loss} diverges: {last[-1]:.4g}, more than {self.divergence_factor:g} times the "
                f"{beginning:.4g} it began with, for {_SUSTAINED} saved steps.",
                why="A loss that grows away from its beginning is on its way to infinity: updates overshoot.",
                change="a tenth of the learning rate, a warm-up, or "
                "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)",
                numbers={"loss": last[-1], "beginning": beginning, "divergence_factor": self.divergence_factor},
            )


def _first_bad(trial: Trial, step: int) -> tuple[int, TensorInfo] | None:
    """The first tensor that is not finite, and its global step; the search ends at a saved step without any."""
    found = None
    for record in islice(back(trial, step), _SEARCHED):
        infos = trial.infos(record.step)
        bad = next((info for info in infos if statistics(trial, info.name, record.step).finite is False), None)
        if bad is None:
            break
        found = (record.step, bad)
    return found
