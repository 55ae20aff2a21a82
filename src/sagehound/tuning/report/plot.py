"""What a chart shows, apart from how it is drawn: dots, lines and words on two scales.

An ink is the name of a colour of the page: `c0` to `c9`, `q0` (best) to `q4` (worst), `rule` or `soft`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sagehound.tuning.report.scale import Scale

#: What a reader is told who points at a mark: a name, and a text for each mark.
Tips = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Dots:
    """A mark at each (x, y); `shape` is dot, ring, cross or diamond."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    ink: str
    shape: str = "dot"
    tips: Tips = field(default_factory=dict)
    size: float = 7.0
    #: Seen only where one is chosen; the trial that each belongs to is then told to the page's script.
    chooses: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Lines:
    """A line through each of `paths` (x, then y)."""

    label: str
    paths: Sequence[tuple[Sequence[float], Sequence[float]]]
    ink: str
    width: float = 1.5
    tips: Tips = field(default_factory=dict)
    opacity: float = 1.0
    #: The trial that each line belongs to, where the page's script may hide some.
    trials: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """A text at each (x, y); `anchor` is start, middle or end."""

    x: Sequence[float]
    y: Sequence[float]
    texts: Sequence[str]
    anchor: str = "middle"
    strong: bool = False


Mark = Dots | Lines | Words


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart: `told` is the chart for those who cannot see it, `note` what is to be known to read it. A `bare` one
    draws its axes itself. `height` and `least_width` are in pixels of the page."""

    key: str
    title: str
    x: Scale
    y: Scale
    marks: Sequence[Mark]
    told: str
    note: str = ""
    bare: bool = False
    height: int = 240
    least_width: int = 0

    @property
    def labelled(self) -> list[Dots | Lines]:
        """The marks that the key explains, each label once."""
        named = [mark for mark in self.marks if not isinstance(mark, Words) and mark.label]
        return list({mark.label: mark for mark in named}.values())
