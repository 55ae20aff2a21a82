"""Gradients that are clipped nearly always."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import ClassVar

from sagehound.debug.finding import Finding
from sagehound.debug.rules.history import alike
from sagehound.debug.rules.selection import trains
from sagehound.debug.store.records import number, written
from sagehound.debug.trial import Trial


@dataclass(frozen=True)
class GradientClipping:
    """Nearly every update is a clipped one.

    Formula: of the last `steps` saved steps whose gradients went through clipping, the share with a total norm above
    the limit is `threshold` or more.

    Why it matters: clipping is for the rare cliff. Where it always acts, the length of a step is the limit's, whatever
    the gradient says, and limit times learning rate is the true rate. Source: Pascanu et al. 2013 (On the difficulty of
    training recurrent neural networks, 3.2) choose the limit from the average norm over many updates, from half to ten
    times of it; a limit that is always exceeded lies below all of that. Some recipes (language models with 1.0, early
    in training) do clip always and are well: read the finding with the loss beside it.
    """

    threshold: float = 0.95
    steps: int = 20

    name: ClassVar[str] = "GradientClipping"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        facts = trial.facts(step)
        if not trains(trial, step) or facts.clip_norm is None or not facts.clip_limit:
            return
        known = _clippings(trial, step, self.steps)
        share = sum(norm > limit for norm, limit in known) / max(1, len(known))
        if len(known) < self.steps or share < self.threshold:
            return
        norm, limit = median(norm for norm, _ in known), known[0][1]
        yield Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode=trial.mode(step).name,
            message=f"The gradients were clipped at {share:.0%} of the last {len(known)} saved steps: their norm is "
            f"{norm:.3g} (median), the limit {limit:g}.",
            why="Clipping that always acts makes every step as long as the limit: the gradient's size is lost, and the "
            "limit is the true learning rate.",
            change=f"torch.nn.utils.clip_grad_norm_(model.parameters(), {2 * norm:.2g})  # or a smaller learning rate, "
            "a warm-up, normalisation layers",
            numbers={"share": share, "threshold": self.threshold, "median_norm": written(norm), "limit": limit},
        )

    def unable(self, trial: Trial) -> str:
        # A training that never clips has nothing wrong in this.
        if any(trial.facts(step).backward or trial.facts(step).clip_norm is not None for step in trial.steps()):
            return ""
        return "no step with a backward pass was saved with what the hook notices beside its tensors"


def _clippings(trial: Trial, step: int, count: int) -> list[tuple[float, float]]:
    """Norm and limit at the last saved steps that know them, the newest first."""
    known = [
        (number(record.facts.clip_norm), record.facts.clip_limit)
        for record in islice(alike(trial, step), 2 * count)
        if record.facts and record.facts.clip_norm is not None and record.facts.clip_limit
    ]
    return known[:count]
