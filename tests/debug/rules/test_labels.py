from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sagehound.debug.rules.labels import Labels
from sagehound.debug.rules.registry import build
from sagehound.debug.store.records import Facts
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun, info
from tests.debug.rules.recorded import LOSS, at_each_step
from tests.debug.rules.trained import clusters, network, trained

BINARY = info("BCEWithLogitsLoss_input_1", "loss_input")


def labelled(
    *ranges: tuple[int, int, int], batch: int = 32, loss: str = "CrossEntropyLoss", ignored: int | None = None
) -> Trial:
    """Steps with those (least, greatest, number of different) labels, for ten classes."""
    run = RecordedRun()
    for low, high, distinct in ranges:
        facts = Facts(
            labels_min=low,
            labels_max=high,
            labels_distinct=distinct,
            classes=10,
            loss=loss,
            ignore_index=ignored,
            samples=tuple(range(batch)),
        )
        run.save({LOSS: 1.0}, facts=facts)
    return run.end().trial()


@pytest.mark.parametrize(("low", "high", "times"), [
    (0, 9, 0), (0, 10, 1), (1, 10, 1), (-2, 5, 1), (-100, 9, 0), (-1, 9, 0), (0, 255, 0),
])  # fmt: skip
def test_labels_outside_the_classes(low: int, high: int, times: int) -> None:
    found = at_each_step(Labels(), labelled((low, high, 5)))
    assert len(found) == times
    assert (
        not found
        or f"Labels lie from {low} to {high}; allowed are numbers from 0 to 9, for 10 outputs." in found[0].message
    )


@pytest.mark.parametrize(("low", "high", "times"), [(-1, 9, 1), (0, 255, 1), (0, 9, 0)])
def test_where_the_label_to_pass_over_is_known_no_other_is(low: int, high: int, times: int) -> None:
    assert len(at_each_step(Labels(), labelled((low, high, 5), ignored=-100))) == times


def test_losses_that_count_otherwise_are_not_judged() -> None:
    assert at_each_step(Labels(), labelled((0, 10, 5), loss="CTCLoss")) == []


@pytest.mark.parametrize(("steps", "batch", "finds"), [(4, 32, False), (5, 32, True), (50, 1, False), (100, 1, True)])
def test_labels_that_are_all_the_same(steps: int, batch: int, finds: bool) -> None:
    found = at_each_step(Labels(), labelled(*[(3, 3, 1)] * steps, batch=batch))
    assert bool(found) == finds
    assert not found or "Labels are constant" in found[0].message


def test_batches_of_one_label_each_are_sorted_by_class() -> None:
    found = at_each_step(Labels(), labelled(*[(label, label, 1) for label in (0, 0, 0, 1, 1, 1)]))
    assert "sorted by class" in found[-1].message
    alone = [(label % 2, label % 2, 1) for label in range(150)]
    assert at_each_step(Labels(), labelled(*alone, batch=1)) == []


def test_one_mixed_batch_ends_the_row() -> None:
    assert at_each_step(Labels(), labelled(*[(3, 3, 1)] * 4, (3, 4, 2), *[(3, 3, 1)] * 4)) == []
    rule = build("Labels", {"steps": "2", "samples": "10"})
    assert at_each_step(rule, labelled(*[(3, 3, 1)] * 2))


@pytest.mark.parametrize(("labels", "times"), [((0, 1), 0), ((-1, 1), 1), ((1, 2), 1)])
def test_labels_of_a_binary_cross_entropy(labels: tuple[int, int], times: int) -> None:
    run = RecordedRun()
    run.save({BINARY: np.array(labels, np.float32)}, facts=Facts(loss="BCEWithLogitsLoss"))
    assert len(at_each_step(Labels(), run.end().trial())) == times


def test_what_is_missing_is_named() -> None:
    run = RecordedRun()
    run.save({LOSS: 1.0})
    assert "hook.register_loss(criterion)" in Labels().unable(run.trial())
    assert Labels().unable(labelled((0, 1, 2))) == ""


def test_real_trainings(tmp_path: Path) -> None:
    data = clusters(10)
    assert at_each_step(Labels(), trained(tmp_path / "fine", network(), data)) == []
    constant = [(x, torch.ones_like(y)) for x, y in data]
    assert at_each_step(Labels(), trained(tmp_path / "constant", network(), constant))
    signs = [(x, (y > 0).float()[:, None].expand(-1, 3) * 2 - 1) for x, y in data]
    loss = nn.BCEWithLogitsLoss()
    found = at_each_step(Labels(), trained(tmp_path / "signs", network(), signs, loss=loss))
    assert "lie from -1 to 1; allowed is 0 to 1" in found[0].message
