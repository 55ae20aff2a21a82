"""Where a hook's steps go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from sagehound.debug.config.collection import Collection
from sagehound.debug.config.hook_config import HookConfig
from sagehound.debug.modes import ModeKeys
from sagehound.debug.recording.optimizers import Optimizers
from sagehound.debug.recording.resume import check_new
from sagehound.debug.recording.root import Root
from sagehound.debug.recording.workers import rank_and_size, worker_name
from sagehound.debug.store.records import CollectionInfo, Model, Run
from sagehound.debug.store.sink import SavedStep, TensorSink
from sagehound.debug.store.writer import Export, FolderSink
from sagehound.watching.trouble import say


class Output:
    """Opens the sink with the first thing that is written: a hook that saves nothing leaves no folder. Of several
    workers only the first writes, unless all are asked for."""

    def __init__(self, config: HookConfig, folder: Path, new: bool = True) -> None:
        self.collections: Sequence[Collection] = ()
        self._new = new
        self._config, self._folder = config, folder
        self._sink: TensorSink | None = None
        self._closed = False
        self._silent: bool | None = None
        self._notes: set[str] = set()
        self._described: tuple[object, ...] = ()
        self._waiting: list[tuple[int, str]] = []

    @property
    def untouched(self) -> bool:
        """Whether nothing was written yet."""
        return self._sink is None

    @property
    def silent(self) -> bool:
        """Whether this process writes nothing."""
        if self._silent is None:
            self._silent = self._config.dry_run or (self._config.include_workers == "one" and rank_and_size()[0] > 0)
        return self._silent

    def check(self) -> None:
        """DebuggerValueError where the folder has another run's data."""
        if self._new and not self.silent:
            check_new(self._folder, worker_name(rank_and_size()[0]))
        self._silent = None

    def write(self, step: SavedStep) -> None:
        """Hand a step to the sink. What went wrong there before is raised here."""
        if not self.silent:
            self._opened().write(step)

    def describe(self, step: int, roots: Sequence[Root], optimizers: Optimizers, losses: Sequence[str]) -> None:
        """Describe the model, where something is known that was not."""
        if self.silent:
            return
        parameters = [(id(p), p.requires_grad) for root in roots for _, p in root.parameters()]
        known = (tuple(parameters), tuple(map(id, optimizers)), tuple(losses))
        if known == self._described:
            return
        self._described = known
        held, registered = optimizers.held(), {id(p) for root in roots for p in root.module.parameters()}
        self._opened().describe(
            Model(
                step=step,
                root=roots[0].name if roots else "",
                modules=tuple(info for root in roots for info in root.module_infos()),
                parameters=tuple(info for root in roots for info in root.parameter_infos(held)),
                optimizers=optimizers.infos(registered),
                losses=tuple(losses),
            )
        )

    def note(self, step: int, text: str) -> None:
        """Something for the reader, once."""
        if text not in self._notes and not self.silent:
            self._notes.add(text)
            if self._sink is None:
                self._waiting.append((step, text))
            else:
                self._sink.note(step, text)

    def tell(self, step: int, text: str) -> None:
        """The same, on stderr as well."""
        if text not in self._notes:
            say("debug", text)
            self.note(max(step, 0), text)

    def close(self, counts: Mapping[ModeKeys, int]) -> None:
        """Wait until all is written."""
        if self._closed:
            return
        self._closed = True
        if self._sink is not None:
            self._sink.close({mode.name: step for mode, step in counts.items()})

    def _opened(self) -> TensorSink:
        if self._sink is None:
            self.check()
            rank, workers = rank_and_size()
            if self._config.include_workers == "one":
                workers = 1
            worker = worker_name(rank)
            run = Run(
                worker=worker,
                workers=workers,
                collections=tuple(_info(one) for one in self.collections),
                framework=f"torch {torch.__version__}",
            )
            self._sink = FolderSink(self._folder, worker, workers, run, export=self._export(worker))
            for step, text in self._waiting:
                self._sink.note(step, text)
        return self._sink

    def _export(self, worker: str) -> Export | None:
        directory = self._config.tensorboard_dir
        if not directory and not self._config.export_tensorboard:
            return None
        from sagehound.debug.store.tensorboard import TensorBoardExport

        place = Path(directory).expanduser() if directory else self._folder / "tensorboard"
        return TensorBoardExport(place, worker, [one.name for one in self.collections if not one.save_histogram])


def _info(collection: Collection) -> CollectionInfo:
    found = {}
    if collection.save_config is not None:
        for mode in ModeKeys:
            steps = collection.save_config.get_save_config(mode).to_json_dict()
            for name, value in steps.items():
                if value not in (None, []):
                    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
                    found[f"{mode.name.lower()}.{name}"] = text
    if collection.reduction_config is not None and collection.reduction_config.names:
        found["reductions"] = str(collection.reduction_config.to_json_dict()["reductions"])
    return CollectionInfo(name=collection.name, include_regex=tuple(collection.include_regex), parameters=found)
