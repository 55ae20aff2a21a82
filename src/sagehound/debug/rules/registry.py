"""The built-in rules by name, made from the parameters of a request."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from sagehound.debug.rule import Rule
from sagehound.errors import InvalidInput, Unsupported
from sagehound.watching.rule_parameters import fields_of

_MODULES = {
    "VanishingGradient": "vanishing_gradient",
    "ExplodingTensor": "exploding_tensor",
    "DeadRelu": "dead_relu",
    "SaturatedActivation": "saturated_activation",
    "WeightUpdateRatio": "weight_update_ratio",
    "PoorWeightInitialization": "poor_weight_initialization",
    "AllZero": "all_zero",
    "ClassImbalance": "class_imbalance",
    "LossNotDecreasing": "loss_not_decreasing",
    "Overfit": "overfit",
    "Overtraining": "overtraining",
    "SimilarAcrossRuns": "similar_across_runs",
    "StalledTrainingRule": "stalled_training_rule",
    "TensorVariance": "tensor_variance",
    "UnchangedTensor": "unchanged_tensor",
    "CheckInputImages": "check_input_images",
    "NLPSequenceRatio": "nlp_sequence_ratio",
    "Confusion": "confusion",
    "LossNotFinite": "loss_not_finite",
    "LearningRate": "learning_rate",
    "GradientClipping": "gradient_clipping",
    "FrozenLayer": "frozen_layer",
    "TrainEvalMode": "train_eval_mode",
    "DataLeak": "data_leak",
    "Labels": "labels",
    "OptimizerParameters": "optimizer_parameters",
    "SoftmaxBeforeCrossEntropy": "softmax_before_cross_entropy",
}
#: Rules of the original that look at XGBoost's trees.
XGBOOST = ("TreeDepth", "FeatureImportanceOverweight", "CreateXgboostReport")
#: What the SDK and the guide add to a rule's parameters without the rule's need.
_NOT_THE_RULES = {"rule_to_invoke", "action_json", "base_trial"}


class _Rules(Mapping[str, type[Rule]]):
    """A rule's module is imported when the rule is asked for."""

    def __getitem__(self, name: str) -> type[Rule]:
        module = importlib.import_module(f"sagehound.debug.rules.{_MODULES[name]}")
        found: type[Rule] = getattr(module, name)
        return found

    def __contains__(self, name: object) -> bool:
        return name in _MODULES

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


#: Every built-in rule's class by the name that `rule_to_invoke` has for it.
RULES: Mapping[str, type[Rule]] = _Rules()


def build(name: str, parameters: Mapping[str, str] | None = None) -> Rule:
    """The rule of that name with these parameters, as strings; what is not given has the documented default.

    Unsupported for XGBoost's rules; InvalidInput for an unknown name or parameter, or a value that is not allowed.

    >>> build("VanishingGradient", {"rule_to_invoke": "VanishingGradient", "threshold": "1e-6"})
    VanishingGradient(threshold=1e-06)
    """
    if name in XGBOOST:
        raise Unsupported(f"the rule {name} looks at XGBoost's trees, and XGBoost is not offered here; leave it out")
    if name not in RULES:
        raise InvalidInput(f"there is no built-in rule {name!r}{_like(name)}; there are {', '.join(RULES)}")
    given = {key: value for key, value in (parameters or {}).items() if key not in _NOT_THE_RULES}
    rule = RULES[name]
    return rule(**fields_of(rule, name, given))


def _like(name: str) -> str:
    by_lower = {known.lower(): known for known in RULES}
    close = get_close_matches(name.lower().replace("_", ""), by_lower, n=1)
    return f" (did you mean {by_lower[close[0]]}?)" if close else ""
