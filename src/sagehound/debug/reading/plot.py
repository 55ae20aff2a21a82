"""A trial's tensors against their steps, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sagehound.debug.modes import ModeKeys
from sagehound.debug.reading.frame import summary
from sagehound.debug.reading.reader import Reader
from sagehound.errors import DebuggerValueError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: From so many points on, the points stand pale behind their running mean.
_MANY = 80
#: The running mean is over this share of the points.
_SMOOTHED = 0.04
#: One colour a tensor, one line style a mode; with one tensor, one colour a mode.
_STYLES = {"TRAIN": "-", "EVAL": "--", "PREDICT": ":", "GLOBAL": "-"}
_COLOURS = {"TRAIN": "#1f5fa8", "EVAL": "#d1622b", "PREDICT": "#3b8f5a", "GLOBAL": "#1f5fa8"}

_NOT_FINITE = "#b00020"


@dataclass(frozen=True)
class Series:
    """One tensor in one mode: `middle` is the number or the array's mean; `low` and `high` are its min and max, and
    NaN for a number."""

    name: str
    mode: str
    steps: np.ndarray
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray


def plot(
    reader: Reader,
    names: Sequence[str],
    modes: Sequence[ModeKeys] | None = None,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw tensors into `ax`, or into a new figure, and give the axes back.

    A line for each tensor and each mode that saved it (or of `modes`). Several modes share the global steps, so that
    what was evaluated stands where it was; one mode alone has its own count. An evaluation of many batches is drawn as
    its batches, pale, and the line of their means. A long, noisy line is pale behind its running mean. Arrays
    are drawn as their mean in a band from min to max. DebuggerValueError where there is nothing to draw.
    """
    wanted = [mode.name for mode in modes] if modes else [mode.name for mode in reader.steps.modes()]
    lines = [one for name in names for mode in wanted if (one := _series(reader, name, mode, len(wanted) > 1))]
    if not lines:
        saved = ", ".join(mode.name for mode in reader.steps.modes()) or "no mode yet"
        raise DebuggerValueError(
            f"there is nothing to draw: {', '.join(names) or 'no tensor'} in {', '.join(wanted) or 'no mode'}; steps "
            f"were saved in {saved}, and tensor_names() lists what"
        )
    axes = _axes() if ax is None else ax
    several = len({line.name for line in lines}) > 1
    for number, name in enumerate(dict.fromkeys(line.name for line in lines)):
        for line in (each for each in lines if each.name == name):
            _draw(axes, line, f"C{number}" if several else _COLOURS[line.mode], several)
    _mark_not_finite(axes, lines)
    _label(axes, lines, title, wanted if len(wanted) == 1 else [])
    return axes


def _series(reader: Reader, name: str, mode: str, on_global: bool) -> Series | None:
    at, rows = [], []
    for step in reader.tensors.steps(name, ModeKeys.GLOBAL):
        records = reader.steps.by_worker(step)
        worker = min(records)
        record = records[worker]
        info = reader.tensors.layout(worker, record.layout).infos.get(name)
        if info is not None and mode in (record.mode, "GLOBAL"):
            at.append(step if on_global else record.mode_step)
            found = summary(reader, worker, record, info)
            rows.append([found.get("value", found.get("mean", np.nan)), found.get("min"), found.get("max")])
    if not rows:
        return None
    middle, low, high = np.array(rows, dtype=float).T
    return Series(name, mode, np.array(at), middle, low, high)


def _axes() -> Axes:
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(8.5, 4.5), layout="constrained")[1]


def _draw(axes: Axes, line: Series, colour: str, several: bool) -> None:
    label = f"{line.name} ({line.mode})" if several else line.mode
    style: dict[str, Any] = {"color": colour, "linestyle": _STYLES[line.mode] if several else "-"}
    if np.isfinite(line.low).any():
        axes.fill_between(line.steps, line.low, line.high, color=colour, alpha=0.15, linewidth=0)
    passes = _passes(line.steps) if line.mode in ("EVAL", "PREDICT") else []
    if 1 < len(passes) < len(line.steps):
        axes.plot(line.steps, line.middle, ".", color=colour, alpha=0.3, markersize=4, markeredgewidth=0)
        ends = [line.steps[one].mean() for one in passes]
        means = [line.middle[one].mean() for one in passes]
        axes.plot(ends, means, marker="o", markersize=4, linewidth=1.8, label=f"{label}, mean of each pass", **style)
    elif len(line.steps) >= _MANY:
        axes.plot(line.steps, line.middle, linewidth=0.8, alpha=0.3, color=colour)
        axes.plot(line.steps, _running_mean(line.middle), linewidth=1.8, label=f"{label}, running mean", **style)
    else:
        marker = "o" if len(line.steps) < 30 else ""
        axes.plot(line.steps, line.middle, marker=marker, markersize=3.5, linewidth=1.6, label=label, **style)


def _passes(steps: np.ndarray) -> list[slice]:
    """The stretches of steps with no wide gap between them: one evaluation each.

    >>> [(int(one.start), int(one.stop)) for one in _passes(np.array([100, 101, 102, 203, 204, 205]))]
    [(0, 3), (3, 6)]
    """
    gaps = np.diff(steps)
    usual = np.median(gaps) if len(gaps) else 0
    starts = [0, *(np.flatnonzero(gaps > 3 * usual) + 1).tolist()]
    return [slice(start, end) for start, end in zip(starts, [*starts[1:], len(steps)], strict=True)]


def _running_mean(values: np.ndarray) -> np.ndarray:
    """The mean of each value and its neighbours, of fewer of them at the ends; what is not finite
    is left out.

    >>> _running_mean(np.array([1.0, 3.0, np.nan, 5.0])).tolist()
    [2.0, 2.0, nan, 5.0]
    """
    half = max(1, int(len(values) * _SMOOTHED / 2))
    finite = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(finite, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(finite)])
    at = np.arange(len(values))
    low, high = np.maximum(at - half, 0), np.minimum(at + half + 1, len(values))
    total: np.ndarray = sums[high] - sums[low]
    return total / np.where(finite, counts[high] - counts[low], np.nan)


def _mark_not_finite(axes: Axes, lines: Sequence[Series]) -> None:
    """A cross at the foot of the picture wherever a value was NaN or infinite."""
    steps = sorted({step for line in lines for step in line.steps[~np.isfinite(line.middle)].tolist()})
    if steps:
        foot: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "clip_on": False}
        axes.plot(steps, [0.0] * len(steps), "x", color=_NOT_FINITE, markersize=6, label="NaN or infinite", **foot)


def _label(axes: Axes, lines: Sequence[Series], title: str, only_mode: Sequence[str]) -> None:
    names = list(dict.fromkeys(line.name for line in lines))
    banded = any(np.isfinite(line.low).any() for line in lines)
    axes.set_xlabel(f"{only_mode[0]} step" if only_mode and only_mode[0] != "GLOBAL" else "step (all modes)")
    what = names[0] if len(names) == 1 else "value"
    axes.set_ylabel(f"{what}\nmean, and band from min to max" if banded else what)
    axes.set_title(title, loc="left", fontsize="medium")
    axes.grid(visible=True, alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize="small")
