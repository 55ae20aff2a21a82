"""The losses that the debugger saved of a training, read from the documented files of its folder of tensors."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from sagehound.profile.curves import Loss
from sagehound.profile.files import open_files, read_all

FOLDER = "manifest"
_MANIFEST = re.compile(rf"{FOLDER}/(?P<worker>[^/]+)/\d+\.jsonl")
_LOSSES = "losses"


class _Tensor(msgspec.Struct):
    name: str
    kind: str = ""
    collections: tuple[str, ...] = ()


class _Record(msgspec.Struct, gc=False):
    """A line of a manifest, of whatever type: a layout has a number and tensors, a step the rest."""

    type: str
    number: int = 0
    tensors: tuple[_Tensor, ...] = ()
    mode: str = ""
    layout: int = -1
    at: float = 0.0
    scalars: dict[str, float | str] = {}


_decode = msgspec.json.Decoder(_Record)


class SavedLosses:
    """Losses below `prefix` (a folder or an S3 URI that ends in `debug-output`), which may grow: `refresh` reads what
    has come since the one before.

    A loss is a number of the collection "losses" or of the kind "loss". Of several workers the first one's are taken.
    Nothing there, or data of another writer, is no error: there are no losses then.
    """

    def __init__(self, prefix: str | Path) -> None:
        self._files = open_files(prefix)
        self._read: dict[str, int] = {}
        self._layouts: dict[int, frozenset[str]] = {}
        self._losses: list[Loss] = []
        self._broken = 0

    @property
    def losses(self) -> list[Loss]:
        """Seconds since the epoch, name with the mode ("CrossEntropyLoss_output_0 (train loss, saved)"), value; in the
        order in which they were saved."""
        return self._losses

    @property
    def problems(self) -> tuple[str, ...]:
        return (f"{self._broken} lines of the debugger's manifest could not be read",) if self._broken else ()

    def refresh(self) -> None:
        sizes = self._files.sizes(f"{FOLDER}/")
        found = {name: match["worker"] for name in sizes if (match := _MANIFEST.fullmatch(name))}
        first = min(found.values(), default="")
        grown = [name for name, worker in found.items() if worker == first and sizes[name] > self._read.get(name, 0)]
        for name, start, data in read_all(self._files, [(name, self._read.get(name, 0)) for name in grown]):
            whole = data.rfind(b"\n") + 1
            self._read[name] = start + whole
            for line in data[:whole].splitlines():
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            record = _decode.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self._broken += 1
            return
        if record.type == "layout":
            named = (each.name for each in record.tensors if each.kind == "loss" or _LOSSES in each.collections)
            self._layouts[record.number] = frozenset(named)
        wanted = self._layouts.get(record.layout, frozenset())
        mode = "" if record.mode == "GLOBAL" else f"{record.mode.lower()} "
        found = ((name, value) for name, value in record.scalars.items() if name in wanted)
        self._losses += [(record.at, f"{name} ({mode}loss, saved)", float(value)) for name, value in found]
