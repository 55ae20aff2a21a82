"""The hook: what a script registers its model and its losses with."""

from __future__ import annotations

import atexit
import os
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sagehound.debug.config.collection import Collection, CollectionKeys
from sagehound.debug.config.hook_config import HookConfig, config_file
from sagehound.debug.config.reduction_config import ReductionConfig
from sagehound.debug.modes import ModeKeys
from sagehound.debug.recording.capture import copied, plain
from sagehound.debug.recording.current import current_hook, set_current_hook
from sagehound.debug.recording.naming import SCALAR
from sagehound.debug.recording.output import Output
from sagehound.debug.recording.recording import Recording
from sagehound.debug.recording.resume import Checkpoints, Counts, counts_in
from sagehound.debug.recording.root import Root
from sagehound.errors import DebuggerTypeError, DebuggerValueError
from sagehound.watching.trouble import cause_of, say


class Hook:
    """Saves what a training computes, at the steps and in the collections that were asked for.

    A step is one forward of the registered module: its weights as used there, the gradients of its backward, the
    losses, and what the script saves until the next forward begins. With `step="optimizer"` it lasts until an
    optimizer has taken a step, for trainings that accumulate gradients over several forwards.

    `out_dir` is made when something is saved. One that holds another run's data is refused with DebuggerValueError;
    `resume=True` goes on with it, and the step counters continue. `export_tensorboard` writes events as well, to
    `tensorboard_dir`. With `dry_run` nothing is written. `include_workers` is "one" (the first of several processes
    writes) or "all". The rest is as in the original.

    An error within the hook is printed on one line of stderr, noted beside the tensors, and ends the collection that
    it befell; a training goes on as if there were no hook.
    """

    automatic: bool

    def __init__(
        self,
        out_dir: str | os.PathLike[str] | None = None,
        export_tensorboard: bool = False,
        tensorboard_dir: str | None = None,
        dry_run: bool = False,
        reduction_config: ReductionConfig | None = None,
        save_config: object = None,
        include_regex: Iterable[str] | str | None = None,
        include_collections: Iterable[Any] | str | None = None,
        save_all: bool = False,
        include_workers: str = "one",
        *,
        step: str = "forward",
        resume: bool = False,
    ) -> None:
        config = HookConfig.from_arguments(
            out_dir=None if out_dir is None else os.fspath(out_dir),
            export_tensorboard=export_tensorboard,
            tensorboard_dir=tensorboard_dir,
            dry_run=dry_run,
            reduction_config=reduction_config,
            save_config=save_config,
            include_regex=include_regex,
            include_collections=include_collections,
            save_all=save_all,
            include_workers=include_workers,
            step=step,
        )
        self._start(config, resume)

    @classmethod
    def from_config(cls, config: HookConfig, resume: bool = False, automatic: bool = False) -> Hook:
        """A hook as `config` describes it. An automatic one looks at its folder when it first saves something: many a
        process trains nothing."""
        hook = cls.__new__(cls)
        hook._start(config, resume, automatic)
        return hook

    @classmethod
    def create_from_json_file(cls, json_file_path: str | None = None) -> Hook:
        """From the JSON configuration of a training job, or the file that is given. Where this process has a hook of
        the same file that is not closed, that one. DebuggerFileNotFoundError where there is no such file."""
        known = current_hook()
        file = config_file(json_file_path).absolute()
        if isinstance(known, Hook) and known.file == file and not known._closed:
            return known
        hook = cls.from_config(HookConfig.from_json_file(json_file_path))
        hook.file = file
        return hook

    def _start(self, config: HookConfig, resume: bool, automatic: bool = False) -> None:
        if not config.out_dir:
            raise DebuggerValueError("a hook needs out_dir: the folder that tensors are saved in")
        folder = Path(config.out_dir).expanduser().absolute()
        previous = current_hook()
        if isinstance(previous, Hook) and previous.automatic and not automatic:
            taken = previous.give_way(folder)
        else:
            taken = None
        checkpoints = Checkpoints()
        counts = checkpoints.restored() or (counts_in(folder) if resume else None)
        output = Output(config, folder, new=counts is None)
        if taken is not None:
            output, counts = taken
        elif not automatic:
            output.check()
        self.out_dir = str(folder)
        self.automatic = automatic
        #: Ends the search for a model when the script registers one itself.
        self.on_release: Callable[[], None] | None = None
        #: The configuration file that it was made from.
        self.file: Path | None = None
        self.config = config
        self._closed = False
        self._collections = config.hook_collections()
        begun: Counts = counts or {ModeKeys.GLOBAL: -1}
        self.recording = Recording(config, self._collections, begun, checkpoints, output)
        atexit.register(_close_if_there, weakref.ref(self))
        set_current_hook(self)

    # What is watched

    def register_module(self, module: torch.nn.Module) -> None:
        """Save from that model. Its forwards are the steps; of a second model's too, within the steps of the first."""
        if not isinstance(module, torch.nn.Module):
            raise DebuggerTypeError(f"register_module takes a torch.nn.Module, not {type(module).__name__}")
        self._release()
        if any(root.outer is module for root in self.recording.roots):
            return
        self.recording.add_root(Root(module))
        if self.recording.in_step:
            self.recording.clock.reset()

    register_hook = register_module

    def register_loss(self, loss_module: torch.nn.Module) -> None:
        """Save what that loss gives, as `<its class>_output_0`."""
        if not isinstance(loss_module, torch.nn.Module):
            raise DebuggerTypeError(
                f"register_loss takes a torch.nn.Module, not {type(loss_module).__name__}; functions like "
                "torch.nn.functional.cross_entropy are saved without it, others with record_tensor_value(name, loss)"
            )
        self.recording.losses.register(loss_module)

    def set_mode(self, mode: object) -> None:
        """Count what comes as steps of that mode, a ModeKeys."""
        if not isinstance(mode, ModeKeys):
            names = ", ".join(f"modes.{one.name}" for one in ModeKeys)
            raise DebuggerValueError(f"{mode!r} is no mode; there are {names}")
        self.recording.mode_of = None
        self.recording.set_mode(mode)

    @property
    def mode(self) -> ModeKeys:
        """The mode that is set; GLOBAL where none is."""
        return self.recording.mode

    @property
    def step(self) -> int:
        """The global number of the present step; -1 before the first."""
        return self.recording.counts[ModeKeys.GLOBAL]

    @property
    def mode_steps(self) -> Mapping[ModeKeys, int]:
        """The present step's number in each mode."""
        return dict(self.recording.counts)

    # What a script saves itself

    def save_scalar(
        self,
        name: str,
        value: Any,  # noqa: ANN401 - a number, or a tensor or array of one
        sm_metric: bool = False,
        timestamp: float | None = None,
    ) -> None:
        """Save a number as `scalar/<name>`, at every step at which this is called. With `sm_metric` it is in the
        collection `sm_metrics`. `timestamp` is taken for the original's sake; a step has one time."""
        try:
            number = float(value.detach().item() if isinstance(value, torch.Tensor) else np.asarray(value).item())
        except (ValueError, TypeError, RuntimeError) as error:
            raise DebuggerTypeError(f"save_scalar({name!r}) takes one number: {cause_of(error)}") from None
        full = f"{SCALAR}{name}"
        collections = (CollectionKeys.SM_METRICS,) if sm_metric else ()
        self.recording.give(full, partial(self.recording.save_number, full, number, collections))

    def save_tensor(
        self,
        tensor_name: str,
        tensor_value: Any,  # noqa: ANN401 - a tensor, an array, numbers
        collections_to_write: str | Sequence[str] = CollectionKeys.DEFAULT,
    ) -> None:
        """Save a tensor, array or list of numbers under its own name in these collections, at the steps at which one
        of them is saved; a collection that has no steps of its own has the hook's."""
        collections = [collections_to_write] if isinstance(collections_to_write, str) else list(collections_to_write)
        try:
            given = (
                tensor_value if isinstance(tensor_value, torch.Tensor) else torch.as_tensor(np.asarray(tensor_value))
            )
            value = copied(plain(given, lambda _: None))
        except (ValueError, TypeError, RuntimeError) as error:
            say("debug", f"save_tensor({tensor_name!r}) saved nothing: {cause_of(error)}")
            return
        deliver = partial(self.recording.save_tensor, tensor_name, value, collections)
        self.recording.give(tensor_name, deliver)

    def record_tensor_value(self, tensor_name: str, tensor_value: torch.Tensor) -> None:
        """Save a tensor as `<name>_output_0` where a collection holds that name: a loss without a module, say."""
        if not isinstance(tensor_value, torch.Tensor):
            raise DebuggerTypeError(
                f"record_tensor_value({tensor_name!r}) takes a torch.Tensor, not {type(tensor_value).__name__}"
            )
        self.recording.record(tensor_name, tensor_value)

    # Collections

    def get_collection(self, name: str, create: bool = True) -> Collection:
        """The collection of that name; a missing one is made. Change them before the first forward."""
        return self._collections.get(name, create)

    def get_collections(self) -> dict[str, Collection]:
        """All of them, by name."""
        return self._collections.by_name()

    def add_collection(self, collection: Collection) -> None:
        """Add one, in the place of the one of that name."""
        if not isinstance(collection, Collection):
            raise DebuggerTypeError(f"add_collection takes a Collection, not {type(collection).__name__}")
        self._collections.add(collection)

    # The end

    def give_way(self, folder: Path) -> tuple[Output, Counts] | None:
        """Let another hook go on in this one's place. What was written to the same folder goes on with it."""
        self._release()
        self.recording.finish()
        if self.recording.output.untouched or str(folder) != self.out_dir:
            self.close()
            return None
        self._closed = True
        return self.recording.output, self.recording.leave()

    def _release(self) -> None:
        if self.on_release is not None:
            self.on_release()
        self.on_release, self.automatic = None, False

    def close(self) -> None:
        """Save what is open, and wait until it is all on disk. What comes after is not saved."""
        if self._closed:
            return
        self._closed = True
        self.recording.close()

    def __deepcopy__(self, memo: object) -> Hook:
        return self

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return type(None), ()

    def __repr__(self) -> str:
        return f"Hook(out_dir={self.out_dir!r}, step={self.step}, mode={self.mode.name})"


def _close_if_there(hook: weakref.ref[Hook]) -> None:
    found = hook()
    if found is not None:
        found.close()
