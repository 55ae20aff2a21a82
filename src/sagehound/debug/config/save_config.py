"""At which steps something is saved."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from sagehound.debug.modes import ModeKeys
from sagehound.errors import DebuggerTypeError, DebuggerValueError

DEFAULT_INTERVAL = 500
#: The parameters of a mode, as the JSON configuration names them.
PARAMETERS = ("save_interval", "start_step", "end_step", "save_steps")


class SaveConfigMode:
    """The steps of one mode: every `save_interval`-th from `start_step` up to and without `end_step`, or, where
    `save_steps` are given, exactly those and no others.

    >>> every = SaveConfigMode(save_interval=10, start_step=20, end_step=50)
    >>> [step for step in range(60) if every.should_save_step(step)]
    [20, 30, 40]
    >>> [step for step in range(60) if SaveConfigMode(save_interval=10, save_steps=[1, 5]).should_save_step(step)]
    [1, 5]
    """

    def __init__(
        self,
        save_interval: int | str | None = None,
        start_step: int | str | None = None,
        end_step: int | str | None = None,
        save_steps: Iterable[int] | None = None,
    ) -> None:
        self.save_interval = whole("save_interval", DEFAULT_INTERVAL if save_interval is None else save_interval, 1)
        self.start_step = whole("start_step", 0 if start_step is None else start_step)
        self.end_step = None if end_step is None else whole("end_step", end_step)
        if isinstance(save_steps, str):
            raise DebuggerValueError(f"save_steps {save_steps!r} is no list: give whole numbers, like [0, 10, 20]")
        self.save_steps = [whole("save_steps", step) for step in save_steps or ()]

    def should_save_step(self, step_num: int) -> bool:
        if self.save_steps:
            return step_num in self.save_steps
        if step_num < self.start_step or (self.end_step is not None and step_num >= self.end_step):
            return False
        return step_num % self.save_interval == 0

    def to_json_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in PARAMETERS}

    @classmethod
    def from_dict(cls, params: Mapping[str, Any], default_values: Mapping[str, Any] | None = None) -> SaveConfigMode:
        """From the names of its parameters; anything else is refused."""
        unknown = sorted(set(params) - set(PARAMETERS))
        if unknown:
            raise DebuggerValueError(f"unknown parameter {unknown[0]!r} of SaveConfigMode; it has {_names(PARAMETERS)}")
        return cls(**{**(default_values or {}), **params})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SaveConfigMode) and self.to_json_dict() == other.to_json_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"SaveConfigMode({', '.join(f'{name}={value}' for name, value in self.to_json_dict().items())})"


class EitherMode(SaveConfigMode):
    """The steps of any of several; its own numbers are those of the last.

    >>> either = EitherMode(SaveConfigMode(save_interval=500), SaveConfigMode(save_interval=40))
    >>> [step for step in range(600) if either.should_save_step(step) and step > 400]
    [440, 480, 500, 520, 560]
    """

    def __init__(self, *configs: SaveConfigMode) -> None:
        last = configs[-1]
        super().__init__(last.save_interval, last.start_step, last.end_step, last.save_steps)
        self._configs = configs

    def should_save_step(self, step_num: int) -> bool:
        return any(config.should_save_step(step_num) for config in self._configs)


class SaveConfig:
    """The steps of every mode: the same numbers for all, or a `SaveConfigMode` for each.

    Where a mode is left out of `mode_save_configs`, a collection takes the hook's, and a hook the defaults (every
    500th step).

    >>> config = SaveConfig({ModeKeys.TRAIN: SaveConfigMode(save_interval=10)}).over(SaveConfig(save_interval=5))
    >>> config.should_save(ModeKeys.TRAIN, 5), config.should_save(ModeKeys.EVAL, 5)
    (False, True)
    """

    def __init__(
        self,
        mode_save_configs: Mapping[ModeKeys, SaveConfigMode | None] | None = None,
        save_interval: int | str | None = None,
        start_step: int | str | None = None,
        end_step: int | str | None = None,
        save_steps: Iterable[int] | None = None,
    ) -> None:
        self.mode_save_configs: dict[ModeKeys, SaveConfigMode | None]
        if mode_save_configs is None:
            same = SaveConfigMode(save_interval, start_step, end_step, save_steps)
            self.mode_save_configs = dict.fromkeys(ModeKeys, same)
            return
        for mode, config in mode_save_configs.items():
            if not isinstance(mode, ModeKeys) or not (config is None or isinstance(config, SaveConfigMode)):
                raise DebuggerValueError(
                    f"mode_save_configs has {mode!r}: {config!r}; it maps a ModeKeys to a SaveConfigMode"
                )
        self.mode_save_configs = {mode: mode_save_configs.get(mode) for mode in ModeKeys}

    def should_save(self, mode: ModeKeys, step: int) -> bool:
        """Whether the mode's step is saved; `step` counts in that mode."""
        return self.get_save_config(mode).should_save_step(step)

    should_save_step = should_save

    def get_save_config(self, mode: ModeKeys) -> SaveConfigMode:
        """The mode's own, or the defaults."""
        return self.mode_save_configs[mode] or SaveConfigMode()

    def set_save_config(self, mode: ModeKeys, save_config_mode: SaveConfigMode) -> None:
        self.mode_save_configs[mode] = save_config_mode

    def over(self, base: SaveConfig) -> SaveConfig:
        """This one, and `base` where a mode is left out."""
        own = self.mode_save_configs
        return SaveConfig({mode: own[mode] or base.mode_save_configs[mode] for mode in ModeKeys})

    def either(self, other: SaveConfig) -> SaveConfig:
        """The steps of this one and of `other`."""
        return SaveConfig(
            {mode: EitherMode(self.get_save_config(mode), other.get_save_config(mode)) for mode in ModeKeys}
        )

    def to_json_dict(self) -> dict[str, Any]:
        return {mode.name: config and config.to_json_dict() for mode, config in self.mode_save_configs.items()}

    def to_json(self) -> str:
        return json.dumps(self.to_json_dict())

    @classmethod
    def from_json(cls, json_str: str) -> SaveConfig:
        """From what `to_json` gave."""
        return cls.from_dict(msgspec.json.decode(json_str, type=dict[str, Any]))

    @classmethod
    def from_dict(cls, params: Mapping[Any, Any], default_values: Mapping[str, Any] | None = None) -> SaveConfig:
        """From modes (or their names) and a SaveConfigMode (or its parameters) for each."""
        return cls({_mode(mode): _mode_config(config, default_values) for mode, config in params.items()})

    @classmethod
    def parse(cls, obj: object) -> SaveConfig:
        """Whatever a hook or a collection takes for it: a SaveConfig, a SaveConfigMode for all modes, a dict, None."""
        if obj is None:
            return cls()
        if isinstance(obj, SaveConfig):
            return obj
        if isinstance(obj, SaveConfigMode):
            return cls(dict.fromkeys(ModeKeys, obj))
        if isinstance(obj, Mapping):
            return cls.from_dict(obj)
        raise DebuggerTypeError(
            f"save_config {obj!r} is none: give a SaveConfig, or a dict from ModeKeys to SaveConfigMode"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SaveConfig) and self.mode_save_configs == other.mode_save_configs

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"SaveConfig({ {mode.name: config for mode, config in self.mode_save_configs.items()} })"


def whole(name: str, value: object, least: int = 0) -> int:
    """A whole number, of at least `least`, from a number or its text."""
    try:
        number = int(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else None
    except ValueError:
        number = None
    if number is None or number < least:
        raise DebuggerValueError(f"{name} {value!r} is not allowed: give a whole number, {least} or more")
    return number


def _mode(mode: object) -> ModeKeys:
    if isinstance(mode, ModeKeys):
        return mode
    try:
        return ModeKeys[str(mode)]
    except KeyError:
        raise DebuggerValueError(f"{mode!r} is no mode; there are {_names(m.name for m in ModeKeys)}") from None


def _mode_config(config: object, default_values: Mapping[str, Any] | None) -> SaveConfigMode | None:
    if config is None or isinstance(config, SaveConfigMode):
        return config
    if isinstance(config, Mapping):
        return SaveConfigMode.from_dict(config, default_values)
    raise DebuggerTypeError(f"{config!r} is no SaveConfigMode, nor a dict of its parameters ({_names(PARAMETERS)})")


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)
