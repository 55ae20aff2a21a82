"""Sequences that consist of one token to a large part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sagehound.debug.finding import Finding
from sagehound.debug.judging.statistics import read
from sagehound.debug.rules.absence import has_none_of
from sagehound.debug.store.records import TensorInfo
from sagehound.debug.trial import Trial, matching

#: The guide's default, a name of another framework: it means the embedding's input.
_OF_THE_GUIDE = ".*embedding0_input_0"
_EMBEDDINGS = ("Embedding", "EmbeddingBag")


@dataclass(frozen=True)
class NLPSequenceRatio:
    """A token makes up more than its threshold of a batch's tokens.

    Formula: 100 count(token) / count(all tokens of the step) > token_thresholds_percent, for each of `token_values`
    with its threshold (one threshold serves all). The tokens are the input of the model's Embedding, of the one with
    the largest vocabulary where there are several: token types and positions are no words. `tensor_regex` names others.

    Why it matters: 0 is mostly padding, and a padded token costs as much to compute as a word; a token for unknown
    words means that the vocabulary does not fit. Parameters and defaults are those of AWS's guide.
    """

    tensor_regex: tuple[str, ...] = ()
    token_values: tuple[float, ...] = (0.0,)
    token_thresholds_percent: tuple[float, ...] = (50.0,)

    name: ClassVar[str] = "NLPSequenceRatio"

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        for info in self._sequences(trial, step):
            tokens = read(trial, info.name, step)
            if tokens is None or tokens.size == 0:
                continue
            for token, limit in self._limits():
                share = 100 * float(np.mean(tokens == token))
                if share > limit:
                    yield self._finding(trial, step, info, token, share, limit)

    def unable(self, trial: Trial) -> str:
        values, limits = len(self.token_values), len(self.token_thresholds_percent)
        if limits not in (1, values):
            return f"token_thresholds_percent has {limits} numbers for {values} token_values; give one for each, or one"
        if not self.tensor_regex and has_none_of(trial, _EMBEDDINGS):
            return ""
        if any(self._sequences(trial, step) for step in trial.steps()):
            return ""
        module = next((m.path for m in trial.model.modules if m.type in _EMBEDDINGS), "<the embedding's name>")
        return (
            "no input of an embedding was saved; add CollectionConfig(name='input_sequence', parameters="
            f"{{'include_regex': '^{module}_input_0'}})"
        )

    def _limits(self) -> list[tuple[float, float]]:
        limits = self.token_thresholds_percent
        if len(limits) == 1:
            limits *= len(self.token_values)
        return list(zip(self.token_values, limits, strict=False))

    def _sequences(self, trial: Trial, step: int) -> list[TensorInfo]:
        infos = [info for info in trial.infos(step) if info.saved != "nothing"]
        patterns = [pattern for pattern in self.tensor_regex if pattern != _OF_THE_GUIDE]
        if patterns:
            named = matching((info.name for info in infos), patterns)
            return [info for info in infos if info.name in named]
        inputs = [
            i for i in infos if i.kind == "input" and i.module_type in _EMBEDDINGS and i.name.endswith("_input_0")
        ]
        words = {p.module: p.shape[0] for p in trial.model.parameters if len(p.shape) == 2}
        return sorted(inputs, key=lambda info: -words.get(info.module, 0))[:1]

    def _finding(self, trial: Trial, step: int, info: TensorInfo, token: float, share: float, limit: float) -> Finding:
        return Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode=trial.mode(step).name,
            tensor=info.name,
            module=info.module,
            message=f"Token {token:g} makes up {share:.1f} % of {info.name}, more than {limit:g} %.",
            why="A padded token costs as much to compute as a word; unknown words carry no meaning.",
            change="sort samples by length into batches and pad to the longest of each batch: "
            "torch.nn.utils.rnn.pad_sequence(batch, batch_first=True); for unknown words, another vocabulary",
            numbers={"token": token, "percent": share, "threshold_percent": limit},
        )
