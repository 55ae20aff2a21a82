"""A softmax before a loss that has one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from sagehound.debug.finding import Finding
from sagehound.debug.rules.history import alike
from sagehound.debug.store.records import Facts
from sagehound.debug.trial import Trial

_LOGITS = ("CrossEntropy", "cross_entropy")
_LOG_PROBABILITIES = ("NLL", "nll")


@dataclass(frozen=True)
class SoftmaxBeforeCrossEntropy:
    """A cross-entropy is given probabilities where it wants scores.

    Formula: at the last `steps` saved steps, the predictions that nn.CrossEntropyLoss was given are not negative and
    sum to 1 for every sample. Likewise nn.NLLLoss, which wants their logarithms.

    Why it matters: the loss takes the softmax itself. Of probabilities it makes a flat distribution: with C classes
    the loss cannot fall below log(1 + (C - 1) / e), and gradients are small. With NLLLoss the loss is -p, which
    falls below zero. Source: PyTorch's documentation of nn.CrossEntropyLoss ("unnormalized logits") and of nn.NLLLoss,
    and the many questions about it on its forum.
    """

    steps: int = 3

    name: ClassVar[str] = "SoftmaxBeforeCrossEntropy"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        facts = [trial.facts(record.step) for record in islice(alike(trial, step), self.steps)]
        if len(facts) < self.steps or not all(each.loss_input_sums_to_one and _wants(each) for each in facts):
            return
        logits = any(word in facts[0].loss for word in _LOGITS)
        yield Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode=trial.mode(step).name,
            tensor=next((i.name for i in trial.infos(step) if i.kind == "loss_input" and i.name.endswith("_0")), ""),
            message=f"{facts[0].loss} is given probabilities: at the last {self.steps} saved steps its predictions sum "
            f"to 1. It wants {'scores (logits)' if logits else 'their logarithms'}.",
            why="The loss takes the softmax itself; after a second one it cannot come near 0 and gradients are small."
            if logits
            else "The loss is minus the probability then, not its logarithm, and gradients vanish where it is wrong.",
            change="return self.fc(x)  # without softmax; torch.softmax(scores, 1) only where probabilities are shown"
            if logits
            else "return torch.log_softmax(self.fc(x), 1)  # or plain scores and nn.CrossEntropyLoss()",
            numbers={"steps": float(self.steps), **({"classes": float(c)} if (c := facts[0].classes) else {})},
        )

    def unable(self, trial: Trial) -> str:
        if any(_wants(trial.facts(step)) for step in trial.steps()):
            return ""
        return "no cross-entropy is known; register the loss with the hook: hook.register_loss(criterion)"


def _wants(facts: Facts) -> bool:
    if "binary" in facts.loss or facts.loss.startswith("BCE"):
        return False
    return any(word in facts.loss for word in (*_LOGITS, *_LOG_PROBABILITIES))
