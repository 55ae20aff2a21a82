"""A softmax, or a sigmoid, before a loss that has one."""

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
_BINARY = "BCEWithLogitsLoss"
#: Of each: what its predictions do, what it wants, why that matters, and what to change.
_SAYS = {
    _LOGITS[0]: (
        "sum to 1",
        "scores (logits)",
        "The loss takes the softmax itself; after a second one it cannot come near 0 and gradients are small.",
        "return self.fc(x)  # without softmax; torch.softmax(scores, 1) only where probabilities are shown",
    ),
    _LOG_PROBABILITIES[0]: (
        "sum to 1",
        "their logarithms",
        "The loss is minus the probability then, not its logarithm, and gradients vanish where it is wrong.",
        "return torch.log_softmax(self.fc(x), 1)  # or plain scores and nn.CrossEntropyLoss()",
    ),
    _BINARY: (
        "come from a sigmoid",
        "scores (logits)",
        "The loss takes the sigmoid itself; after a second one it cannot come near 0 and gradients are small.",
        "return self.fc(x)  # without sigmoid; or keep the sigmoid and take nn.BCELoss()",
    ),
}


@dataclass(frozen=True)
class SoftmaxBeforeCrossEntropy:
    """A cross-entropy is given probabilities where it wants scores.

    Formula: at the last `steps` saved steps, the predictions that nn.CrossEntropyLoss was given are not negative and
    sum to 1 for every sample. Likewise nn.NLLLoss, which wants their logarithms. And: what nn.BCEWithLogitsLoss was
    given comes straight from a sigmoid, as the gradient's function says; scores that lie between 0 and 1 by chance do
    not count. (Under torch.compile, and in an evaluation without gradients, that is not known.)

    Why it matters: the loss takes the softmax itself. Of probabilities it makes a flat distribution: with C classes
    the loss cannot fall below log(1 + (C - 1) / e), and gradients are small. With NLLLoss the loss is -p, which
    falls below zero. After two sigmoids the loss cannot fall below log(1 + 1 / e) for a yes and log(2) for a no.
    Source: PyTorch's documentation of nn.CrossEntropyLoss ("unnormalized logits"), nn.NLLLoss and
    nn.BCEWithLogitsLoss ("combines a Sigmoid layer and the BCELoss"), and the many questions about it on its forum.
    """

    steps: int = 3

    name: ClassVar[str] = "SoftmaxBeforeCrossEntropy"
    same_in_all_modes: ClassVar[bool] = True

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        facts = [trial.facts(record.step) for record in islice(alike(trial, step), self.steps)]
        kinds = {_given(each) for each in facts}
        if len(facts) < self.steps or len(kinds) > 1 or kinds == {""}:
            return
        said, wants, why, change = _SAYS[kinds.pop()]
        yield Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode=trial.mode(step).name,
            tensor=next((i.name for i in trial.infos(step) if i.kind == "loss_input" and i.name.endswith("_0")), ""),
            message=f"{facts[0].loss} is given probabilities: at the last {self.steps} saved steps its predictions "
            f"{said}. It wants {wants}.",
            why=why,
            change=change,
            numbers={"steps": float(self.steps), **({"classes": float(c)} if (c := facts[0].classes) else {})},
        )

    def unable(self, trial: Trial) -> str:
        if any(trial.facts(step).loss for step in trial.steps()):
            return ""  # a loss of another kind has nothing wrong in this
        return "no loss is known; register it with the hook: hook.register_loss(criterion)"


def _given(facts: Facts) -> str:
    """Which of the losses in _SAYS was given probabilities; "" for none."""
    if facts.loss == _BINARY:
        return _BINARY if facts.loss_input_made_by == "sigmoid" else ""
    if not facts.loss_input_sums_to_one or not _wants(facts):
        return ""
    return _LOGITS[0] if any(word in facts.loss for word in _LOGITS) else _LOG_PROBABILITIES[0]


def _wants(facts: Facts) -> bool:
    """Whether the loss takes a softmax itself, or wants the logarithms of one."""
    if "binary" in facts.loss or facts.loss.startswith("BCE"):
        return False
    return any(word in facts.loss for word in (*_LOGITS, *_LOG_PROBABILITIES))
