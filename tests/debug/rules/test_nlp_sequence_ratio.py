from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sagehound.debug.rules.nlp_sequence_ratio import NLPSequenceRatio
from sagehound.debug.rules.registry import build
from sagehound.debug.store.records import Model, ModuleInfo, ParameterInfo
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun, info
from tests.debug.rules.recorded import LOSS, at_each_step, layer_input
from tests.debug.rules.trained import trained

TOKENS = layer_input("words", "Embedding")


def read(*shares: float, token: int = 0) -> Trial:
    run = RecordedRun()
    for share in shares:
        tokens = np.full((10, 10), 7)
        tokens.reshape(-1)[: round(100 * share)] = token
        run.save({TOKENS: tokens})
    return run.end().trial()


def test_a_batch_that_is_mostly_padding() -> None:
    (found,) = at_each_step(NLPSequenceRatio(), read(0.5, 0.51))
    assert (found.step, found.module, found.numbers["percent"]) == (1, "words", 51.0)
    assert "Token 0 makes up 51.0 % of words_input_0, more than 50 %." in found.message


def test_tokens_and_thresholds_are_lists() -> None:
    rule = build("NLPSequenceRatio", {"token_values": "3, 1", "token_thresholds_percent": "50.0, 10.0"})
    assert at_each_step(rule, read(0.4, token=3)) == []
    assert at_each_step(rule, read(0.4, token=1))
    one = build("NLPSequenceRatio", {"token_values": "3,1", "token_thresholds_percent": "30"})
    assert at_each_step(one, read(0.4, token=3)) and at_each_step(one, read(0.4, token=1))


def test_of_several_embeddings_the_one_of_the_words_counts() -> None:
    shapes = {"kinds": (2, 8), "words": (1000, 8)}
    parameters = tuple(ParameterInfo(name=f"Net_{m}.weight", module=m, shape=s) for m, s in shapes.items())
    run = RecordedRun(Model(parameters=parameters))
    run.save({layer_input("kinds", "Embedding"): np.zeros((4, 4), int), TOKENS: np.arange(16).reshape(4, 4)})
    assert at_each_step(NLPSequenceRatio(), run.end().trial()) == []


def test_another_tensor_by_its_name() -> None:
    run = RecordedRun()
    run.save({info("my_tokens", "custom"): np.zeros(8, int)})
    assert at_each_step(build("NLPSequenceRatio", {"tensor_regex": "my_tokens"}), run.trial())


def test_what_is_missing_is_named() -> None:
    run = RecordedRun(Model(modules=(ModuleInfo("", "Net"), ModuleInfo("encoder.words", "Embedding"))))
    run.save({LOSS: 1.0})
    assert "'include_regex': '^encoder.words_input_0'" in NLPSequenceRatio().unable(run.trial())
    assert "give one for each" in NLPSequenceRatio((), (1.0,), (2.0, 3.0)).unable(run.trial())
    assert NLPSequenceRatio().unable(read(0.1)) == ""


@pytest.mark.parametrize(("padding", "finds"), [(12, True), (4, False)])
def test_real_trainings(tmp_path: Path, padding: int, finds: bool) -> None:
    torch.manual_seed(0)
    tokens = torch.randint(1, 50, (8, 20))
    tokens[:, 20 - padding :] = 0
    model = nn.Sequential(nn.Embedding(50, 4), nn.Flatten(), nn.Linear(80, 3))
    trial = trained(tmp_path / "run", model, [(tokens, torch.randint(0, 3, (8,)))] * 2)
    assert bool(at_each_step(NLPSequenceRatio(), trial)) == finds
