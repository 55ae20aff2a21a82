import re

import pytest
import torch

from sagehound.vision.metrics import evaluate

LOGITS = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0]])
LABELS = torch.tensor([0, 1, 1])


def test_loss_accuracy_and_confusion():
    result = evaluate(LOGITS, LABELS)
    assert result.loss == pytest.approx((0.1269 * 2 + 2.1269) / 3, abs=1e-4)
    assert result.accuracy == pytest.approx(2 / 3)
    assert result.confusion == [[1, 0], [1, 1]]


def test_the_seeds_regex_reads_the_line():
    line = evaluate(LOGITS, LABELS).line("Test set")
    assert re.findall(r"Test set: Average loss: ([0-9\.]+)", line) == ["0.7936"]
    assert re.findall(r"Test set: .* \(([0-9\.]+)%\)", line) == ["66.67"]
