"""A collection: tensors that are saved together, chosen by regular expressions and names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from sagehound.debug.config.module_patterns import means
from sagehound.debug.config.reduction_config import ReductionConfig
from sagehound.debug.config.save_config import SaveConfig, SaveConfigMode
from sagehound.debug.modes import ModeKeys
from sagehound.errors import DebuggerTypeError, DebuggerValueError


class CollectionKeys:
    """The names of the original's collections, over all frameworks. `collections.BUILT_IN` has those of PyTorch."""

    DEFAULT = "default"
    ALL = "all"
    INPUTS = "inputs"
    OUTPUTS = "outputs"
    WEIGHTS = "weights"
    GRADIENTS = "gradients"
    LOSSES = "losses"
    BIASES = "biases"
    LAYERS = "layers"
    SM_METRICS = "sm_metrics"
    OPTIMIZER_VARIABLES = "optimizer_variables"
    TENSORFLOW_SUMMARIES = "tensorflow_summaries"
    METRICS = "metrics"
    HYPERPARAMETERS = "hyperparameters"
    PREDICTIONS = "predictions"
    LABELS = "labels"
    FEATURE_IMPORTANCE = "feature_importance"
    AVERAGE_SHAP = "average_shap"
    FULL_SHAP = "full_shap"
    TREES = "trees"


#: They come from the backward and the optimizer, which evaluation and prediction have not.
_TRAINING_ONLY = (CollectionKeys.GRADIENTS, CollectionKeys.OPTIMIZER_VARIABLES)


class Collection:
    """Tensors by name: those whose name a regex finds anywhere in it, and those that are named outright.

    `save_config` and `reduction_config` are the hook's where None. `save_histogram` is about TensorBoard.

    >>> relus = Collection("relus", include_regex=["relu_output"], save_config=SaveConfig(save_interval=10))
    >>> relus.matches("layer1.0.relu_output_0"), relus.matches("layer1.0.relu_input_0")
    (True, False)
    >>> relus.due(ModeKeys.TRAIN, 20)
    True
    """

    def __init__(
        self,
        name: str,
        include_regex: Iterable[str] | str | None = None,
        tensor_names: Iterable[str] | None = None,
        reduction_config: ReductionConfig | None = None,
        save_config: SaveConfig | Mapping[ModeKeys, SaveConfigMode] | None = None,
        save_histogram: bool = True,
    ) -> None:
        self.name = name
        self.include_regex: list[str] = []
        self._patterns: list[re.Pattern[str]] = []
        self.include(*([include_regex] if isinstance(include_regex, str) else include_regex or ()))
        if isinstance(tensor_names, str):
            raise DebuggerTypeError(f"tensor_names {tensor_names!r} is no list nor set of names")
        self.tensor_names = set(tensor_names or ())
        self.reduction_config = reduction_config
        self.save_config = save_config
        self.save_histogram = save_histogram
        self.modules: dict[object, tuple[bool, bool]] = {}

    @property
    def save_config(self) -> SaveConfig | None:
        return self._save_config

    @save_config.setter
    def save_config(self, config: SaveConfig | Mapping[ModeKeys, SaveConfigMode] | None) -> None:
        self._save_config = None if config is None else SaveConfig.parse(config)

    @property
    def reduction_config(self) -> ReductionConfig | None:
        return self._reduction_config

    @reduction_config.setter
    def reduction_config(self, config: ReductionConfig | None) -> None:
        if not (config is None or isinstance(config, ReductionConfig)):
            raise DebuggerTypeError(f"reduction_config {config!r} of collection {self.name!r} is no ReductionConfig")
        self._reduction_config = config

    def include(self, *regexes: str | Iterable[str]) -> None:
        """Add regular expressions, one by one or as a list."""
        for regex in regexes:
            if isinstance(regex, str):
                self._patterns.append(compiled(regex, f"collection {self.name!r}"))
                self.include_regex.append(regex)
            elif isinstance(regex, Iterable):
                self.include(*regex)
            else:
                raise DebuggerTypeError(
                    f"collection {self.name!r} can include a regex or a list of them, not {regex!r}"
                )

    def add_module_tensors(self, module: object, inputs: bool = False, outputs: bool = True) -> None:
        """Add what goes into a module, and what comes out of it. The hook knows its name once it is registered."""
        self.modules[module] = (inputs, outputs)

    def bind(self, paths: Mapping[Any, str]) -> None:
        """Turn the modules of `add_module_tensors` into regexes; `paths` has the name that each one's tensors have."""
        for module, (inputs, outputs) in list(self.modules.items()):
            if module in paths:
                ends = "|".join([*["input"] * inputs, *["output"] * outputs])
                self.include(*([f"^{re.escape(paths[module])}_(?:{ends})_"] if ends else []))
                del self.modules[module]

    def matches(self, name: str, module_type: str = "", is_root: bool = False) -> bool:
        """Whether it holds the tensor of that name. `module_type` is the class of the module that it goes into or comes
        out of: the regexes of the SDK's ready-made collections look at it."""
        if name in self.tensor_names or any(pattern.search(name) for pattern in self._patterns):
            return True
        return any(means(regex, name, module_type, is_root) for regex in self.include_regex)

    def due(self, mode: ModeKeys, step: int) -> bool:
        """Whether it is saved at that step, which counts in that mode."""
        if self.name in _TRAINING_ONLY and mode in (ModeKeys.EVAL, ModeKeys.PREDICT):
            return False
        return (self.save_config or SaveConfig()).should_save(mode, step)

    def has_tensor_name(self, tname: str) -> bool:
        return tname in self.tensor_names

    def add_tensor_name(self, tname: str) -> None:
        self.tensor_names.add(tname)

    def remove_tensor_name(self, tname: str) -> None:
        self.tensor_names.discard(tname)

    def to_json_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "include_regex": self.include_regex,
            "tensor_names": sorted(self.tensor_names),
            "reduction_config": self.reduction_config and self.reduction_config.to_json_dict(),
            "save_config": self.save_config and self.save_config.to_json_dict(),
            "save_histogram": self.save_histogram,
        }

    def to_json(self) -> str:
        return json.dumps(self.to_json_dict())

    @classmethod
    def from_dict(cls, params: Mapping[str, Any]) -> Collection:
        """From what `to_json_dict` gave, the original's included."""
        return cls(
            params["name"],
            params.get("include_regex") or (),
            params.get("tensor_names") or (),
            ReductionConfig.from_dict(params["reduction_config"]) if params.get("reduction_config") else None,
            SaveConfig.from_dict(params["save_config"]) if params.get("save_config") else None,
            params.get("save_histogram", True),
        )

    @classmethod
    def from_json(cls, json_str: str) -> Collection:
        """From what `to_json` gave."""
        return cls.from_dict(msgspec.json.decode(json_str, type=dict[str, Any]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Collection) and self.to_json_dict() == other.to_json_dict()

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"Collection({self.name!r}, include_regex={self.include_regex})"


def compiled(regex: str, owner: str) -> re.Pattern[str]:
    """A regular expression; `owner` is who asks, for the error."""
    try:
        return re.compile(regex)
    except re.error as error:
        raise DebuggerValueError(
            f"include_regex {regex!r} of {owner} is no regular expression: {error}; "
            "commas part several, and Python's re says what is allowed"
        ) from None
