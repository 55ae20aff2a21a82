import pytest
import torch

from sagehound.errors import InvalidInput
from sagehound.vision.loop import Reports, fit

X = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 2.0], [2.0, 0.0]])
Y = torch.tensor([0, 1, 0, 1])


def run(lr: float, scale: float = 1.0) -> list[tuple[object, ...]]:
    model = torch.nn.Linear(2, 2)
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    seen: list[tuple[object, ...]] = []
    reports = Reports(lambda *step: seen.append(("step", *step)), lambda epoch: seen.append(("epoch", epoch)))
    halves = ((X[:2] * scale, Y[:2]), (X[2:] * scale, Y[2:]))
    fit(model, lambda _: halves, torch.optim.SGD(model.parameters(), lr), 2, 2, reports)
    return seen


def test_steps_and_epochs_are_reported_in_order_and_the_loss_falls():
    seen = run(0.5)
    assert [entry[:4] for entry in seen] == [
        ("step", 1, 1, 2),
        ("step", 1, 2, 2),
        ("epoch", 1),
        ("step", 2, 3, 2),
        ("step", 2, 4, 2),
        ("epoch", 2),
    ]
    losses = [float(entry[4]) for entry in seen if entry[0] == "step"]
    assert losses == sorted(losses, reverse=True)


def test_a_loss_that_is_no_number_ends_it_with_advice():
    with pytest.raises(InvalidInput, match="at step 1; try a lower --lr"):
        run(0.5, scale=float("inf"))
