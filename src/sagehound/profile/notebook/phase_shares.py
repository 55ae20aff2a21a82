"""Where the time of the steps went, over time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sagehound.profile.notebook.trace_event import TraceEvent
from sagehound.profile.series import Floats
from sagehound.profile.trace_format import PHASES

#: The phase that a row of a timeline stands for, by how the row's name begins.
_BY_ROW = {row.partition("(")[0]: phase for phase, (_, row) in PHASES.items()}


def phase_of(event: TraceEvent) -> str:
    """The phase of a step that an event is; "" where it is none."""
    return next((phase for begin, phase in _BY_ROW.items() if event.event_phase.startswith(begin)), "")


def phase_shares(events: Iterable[TraceEvent], buckets: int = 200) -> tuple[Floats, dict[str, Floats]]:
    """The share of each phase in what all phases took, in percent, for equal stretches of time of ten steps and more:
    their middles (seconds since the epoch), and phase -> shares, in the order in which they come in a step."""
    pieces = [(phase, event.start_time / 1e6, event.duration / 1e6) for event in events if (phase := phase_of(event))]
    if not pieces:
        return np.zeros(0), {}
    names, starts_s, durations_s = zip(*pieces, strict=True)
    middles_s = np.array(starts_s) + np.array(durations_s) / 2
    # A stretch with few steps in it would show where its borders cut them.
    steps = max(1, len(pieces) // max(1, len(set(names))))
    buckets = max(1, min(buckets, steps // 10))
    edges = np.linspace(middles_s.min(), middles_s.max() + 1e-6, buckets + 1)
    places = np.clip(np.searchsorted(edges, middles_s, side="right") - 1, 0, buckets - 1)
    taken = {
        phase: np.bincount(places[own], np.array(durations_s)[own], buckets)
        for phase in PHASES
        if (own := np.array([name == phase for name in names])).any()
    }
    whole = np.sum(list(taken.values()), axis=0)
    kept = whole > 0
    at_s: Floats = ((edges[:-1] + edges[1:]) / 2)[kept]
    return at_s, {phase: 100 * time[kept] / whole[kept] for phase, time in taken.items()}
