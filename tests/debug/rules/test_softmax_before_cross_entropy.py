from pathlib import Path

import pytest
from torch import nn

from sagehound.debug.rules.registry import build
from sagehound.debug.rules.softmax_before_cross_entropy import SoftmaxBeforeCrossEntropy
from sagehound.debug.store.records import Facts
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun
from tests.debug.rules.recorded import LOSS, at_each_step
from tests.debug.rules.trained import clusters, network, trained


def given(*sums: bool | None, loss: str = "CrossEntropyLoss") -> Trial:
    run = RecordedRun()
    for each in sums:
        run.save({LOSS: 1.0}, facts=Facts(loss=loss, loss_input_sums_to_one=each, classes=3))
    return run.end().trial()


@pytest.mark.parametrize(("sums", "times"), [
    ((True, True, True), 1), ((True, True), 0), ((True, False, True, True), 0), ((None,) * 4, 0),
])  # fmt: skip
def test_probabilities_at_steps_in_a_row(sums: tuple[bool | None, ...], times: int) -> None:
    found = at_each_step(SoftmaxBeforeCrossEntropy(), given(*sums))
    assert len(found) == times
    assert not found or "CrossEntropyLoss is given probabilities" in found[0].message


@pytest.mark.parametrize(("loss", "change"), [("NLLLoss", "log_softmax"), ("BCELoss", ""), ("MSELoss", "")])
def test_other_losses(loss: str, change: str) -> None:
    found = at_each_step(SoftmaxBeforeCrossEntropy(), given(True, True, True, loss=loss))
    assert [change in each.change for each in found] == [True] * bool(change)


def test_the_number_of_steps_is_a_parameter() -> None:
    assert at_each_step(build("SoftmaxBeforeCrossEntropy", {"steps": "1"}), given(True))


def test_what_is_missing_is_named() -> None:
    assert "hook.register_loss(criterion)" in SoftmaxBeforeCrossEntropy().unable(given(None, loss=""))
    assert SoftmaxBeforeCrossEntropy().unable(given(False)) == ""


def test_a_loss_of_another_kind_was_looked_at() -> None:
    assert SoftmaxBeforeCrossEntropy().unable(given(None, loss="MSELoss")) == ""


@pytest.mark.parametrize(("last", "finds"), [(nn.Sigmoid(), True), (nn.Hardsigmoid(), False), (nn.Identity(), False)])
def test_a_sigmoid_before_the_binary_loss_that_has_one(tmp_path: Path, last: nn.Module, finds: bool) -> None:
    data = [(x, y.clamp(max=1).float()[:, None]) for x, y in clusters(5)]
    model = nn.Sequential(nn.Linear(8, 1), last)
    trial = trained(tmp_path / "t", model, data, loss=nn.BCEWithLogitsLoss())
    found = at_each_step(SoftmaxBeforeCrossEntropy(), trial)
    assert bool(found) == finds
    assert not found or "its predictions come from a sigmoid. It wants scores (logits)." in found[0].message


def test_a_sigmoid_before_the_loss_that_wants_one_is_right(tmp_path: Path) -> None:
    data = [(x, y.clamp(max=1).float()[:, None]) for x, y in clusters(5)]
    model = nn.Sequential(nn.Linear(8, 1), nn.Sigmoid())
    assert at_each_step(SoftmaxBeforeCrossEntropy(), trained(tmp_path / "t", model, data, loss=nn.BCELoss())) == []


def test_real_trainings(tmp_path: Path) -> None:
    rule, data = SoftmaxBeforeCrossEntropy(), clusters(5)
    assert at_each_step(rule, trained(tmp_path / "fine", network(), data)) == []
    softmax = nn.Sequential(network(), nn.Softmax(dim=1))
    found = at_each_step(rule, trained(tmp_path / "softmax", softmax, data))
    assert found[0].tensor == "CrossEntropyLoss_input_0"
    right = nn.Sequential(network(), nn.LogSoftmax(dim=1))
    assert at_each_step(rule, trained(tmp_path / "right", right, data, loss=nn.NLLLoss())) == []
