"""The loss of a training, drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def draw_loss_curve(history: dict[str, Any], title: str, path: Path) -> None:
    """Write the training loss of every step, and the test loss at the end, of a `history.json` as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    steps = [entry["step"] for entry in history["train"]]
    losses = [entry["loss"] for entry in history["train"]]
    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(title=title, xlabel="step", ylabel="cross-entropy loss")
    axes.plot(steps, losses, marker=".", label="train")
    axes.plot(steps[-1:], [history["test"]["loss"]], marker="D", linestyle="none", label="test")
    axes.set_ylim(bottom=0)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
