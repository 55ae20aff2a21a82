"""What every built-in rule must do, whatever a training saved: a test module subclasses `RuleSuite`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np
import pytest

from sagehound.debug.finding import Finding
from sagehound.debug.modes import ModeKeys
from sagehound.debug.rule import Rule
from sagehound.debug.store.records import Facts, Model, ModuleInfo, OptimizerInfo, ParameterInfo, TensorInfo
from sagehound.debug.trial import Trial
from sagehound.testing.recorded_run import RecordedRun, info

_MODULES = {
    "": "Net",
    "conv": "Conv2d",
    "relu": "ReLU",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "embedding": "Embedding",
    "fc": "Linear",
}
_PARAMETERS = {
    "Net_conv.weight": "conv",
    "Net_fc.weight": "fc",
    "Net_fc.bias": "fc",
    "Net_embedding.weight": "embedding",
}
_LABELS = "CrossEntropyLoss_input_1"
Values = Callable[[int, TensorInfo], np.ndarray | float]


def _module(name: str, kind: str, module: str, **more: object) -> TensorInfo:
    return info(name, kind, module=module, module_type=_MODULES[module], **more)  # type: ignore[arg-type]


#: One tensor of every kind that a hook saves, and its shape; () is a number.
TENSORS: Mapping[TensorInfo, tuple[int, ...]] = {
    _module("Net_conv.weight", "weight", "conv"): (4, 3, 3, 3),
    _module("Net_fc.weight", "weight", "fc"): (5, 4),
    _module("Net_fc.bias", "bias", "fc"): (5,),
    _module("gradient/Net_conv.weight", "gradient", "conv"): (4, 3, 3, 3),
    _module("gradient/Net_fc.weight", "gradient", "fc"): (5, 4),
    _module("gradient/Net_fc.bias", "gradient", "fc"): (5,),
    _module("Net_input_0", "input", ""): (8, 3, 6, 6),
    _module("embedding_input_0", "input", "embedding"): (8, 10),
    _module("relu_input_0", "input", "relu"): (8, 4, 6, 6),
    _module("relu_output_0", "output", "relu"): (8, 4, 6, 6),
    _module("tanh_input_0", "input", "tanh"): (8, 4),
    _module("sigmoid_input_0", "input", "sigmoid"): (8, 4),
    _module("Net_output_0", "output", ""): (8, 5),
    info("CrossEntropyLoss_input_0", "loss_input"): (8, 5),
    info(_LABELS, "loss_input"): (8,),
    info("CrossEntropyLoss_output_0", "loss"): (),
    info("optimizer/fc.weight/exp_avg", "optimizer", ("optimizer_variables",)): (5, 4),
    info("scalar/accuracy", "scalar", ("sm_metrics",)): (),
}
UNRELATED: Mapping[TensorInfo, tuple[int, ...]] = {
    info("my_note", "custom"): (3,),
    info("scalar/weather", "scalar"): (),
}

MODEL = Model(
    root="Net",
    modules=tuple(ModuleInfo(path, kind) for path, kind in _MODULES.items()),
    parameters=tuple(
        ParameterInfo(name=name, module=module, module_type=_MODULES[module], shape=(5, 4), optimized=True)
        for name, module in _PARAMETERS.items()
    ),
    optimizers=(OptimizerInfo(type="SGD", learning_rates=(0.1,), parameters=4),),
    losses=("CrossEntropyLoss",),
)


def usual(step: int, each: TensorInfo) -> np.ndarray | float:
    """What a training might save: small numbers, tokens, labels, a falling loss."""
    rng = np.random.default_rng([step, len(each.name)])
    shape = TENSORS.get(each) or UNRELATED.get(each) or ()
    if not shape:
        return 2.0 / (step + 1)
    if each.name == _LABELS or each.module == "embedding":
        return rng.integers(0, 5, size=shape)
    return rng.normal(size=shape).astype(np.float32) * 0.1


def constant(value: float) -> Values:
    """The same value everywhere, at every step."""
    return lambda step, each: np.full(shape, value, np.float32) if (shape := TENSORS[each]) else value


def empty_arrays(step: int, each: TensorInfo) -> np.ndarray | float:
    """Arrays without an element, as the last and empty batch has them."""
    shape = TENSORS[each]
    return np.zeros((0, *shape[1:]), np.float32) if shape else 1.0


def odd_types(step: int, each: TensorInfo) -> np.ndarray | float:
    """Booleans, whole numbers and complex numbers where others have floats, in odd shapes; a loss of each sample."""
    if each.kind == "loss":
        return np.ones(3, np.float16)
    kinds = (np.bool_, np.int64, np.uint8, np.complex64, np.float16)
    return np.ones((2,) * (step % 3), kinds[(step + len(each.name)) % len(kinds)])


def recorded(
    values: Values = usual, steps: int = 6, only: Mapping[TensorInfo, tuple[int, ...]] = TENSORS, bare: bool = False
) -> RecordedRun:
    """A run that saves every kind of tensor; its last step of each three is an evaluation's. A bare one tells neither
    facts nor the model, as data of the original debugger."""
    run = RecordedRun(model=None if bare else MODEL, collections=("weights", "gradients", "losses"))
    for step in range(steps):
        mode = ModeKeys.EVAL if step % 3 == 2 else ModeKeys.TRAIN
        saved = [each for each in only if mode is ModeKeys.TRAIN or each.kind not in ("gradient", "optimizer")]
        facts = None if bare else _facts(step, mode)
        run.save({each: values(step, each) for each in saved}, mode, facts=facts, at=float(step))
    return run


def _facts(step: int, mode: ModeKeys) -> Facts:
    training = mode is ModeKeys.TRAIN
    return Facts(
        training=training,
        grad_enabled=training,
        backward=training,
        dropouts=1,
        dropouts_training=int(training),
        learning_rates=(0.1,),
        clip_norm="nan" if step == 1 else 2.0,
        clip_limit=1.0,
        labels_min=0,
        labels_max=4,
        labels_distinct=5,
        classes=5,
        loss="CrossEntropyLoss",
        samples=(step, step + 1),
        optimizer_steps=step,
    )


#: Trainings that a rule must be able to look at, by what is special about them.
TRIALS: Mapping[str, Callable[[], RecordedRun]] = {
    "nothing saved": RecordedRun,
    "unrelated tensors": lambda: recorded(only=UNRELATED, bare=True),
    "facts and no tensors": lambda: recorded(only={}),
    "tensors and no facts": lambda: recorded(bare=True),
    "usual": recorded,
    "a single step": lambda: recorded(steps=1),
    "NaN": lambda: recorded(constant(math.nan)),
    "infinite": lambda: recorded(constant(math.inf)),
    "zeros": lambda: recorded(constant(0.0)),
    "huge": lambda: recorded(constant(1e30)),
    "empty arrays": lambda: recorded(empty_arrays),
    "odd types": lambda: recorded(odd_types),
}


def judged(rule: Rule, trial: Trial, backwards: bool = False) -> dict[int, list[Finding]]:
    """What a rule finds at each saved step."""
    steps = trial.steps()
    return {step: list(rule.findings(trial, step)) for step in (reversed(steps) if backwards else steps)}


class RuleSuite:
    """Define a fixture `rule`. Every test looks at the trainings in TRIALS."""

    #: Rules that judge whatever was saved, or that nothing is.
    judges_anything: frozenset[str] = frozenset({"ExplodingTensor", "StalledTrainingRule"})

    @pytest.fixture(params=sorted(TRIALS))
    def run(self, request: pytest.FixtureRequest) -> RecordedRun:
        return TRIALS[request.param]().end()

    def test_a_rule_is_a_frozen_dataclass_that_says_what_it_detects(self, rule: Rule) -> None:
        made: Any = type(rule)
        assert made.__dataclass_params__.frozen
        assert len((made.__doc__ or "").split()) > 20
        assert rule.name == made.__name__

    def test_it_judges_any_training_and_its_findings_are_complete(self, rule: Rule, run: RecordedRun) -> None:
        trial = run.trial()
        found = judged(rule, trial)
        for finding in [each for step in found.values() for each in step]:
            self.check(rule, trial, finding)

    def test_it_keeps_nothing_between_calls(self, rule: Rule, run: RecordedRun) -> None:
        trial = run.trial()
        assert judged(rule, trial, backwards=True) == judged(rule, trial) == judged(rule, run.trial())

    def test_it_judges_by_nothing_that_comes_later(self, rule: Rule) -> None:
        for values in (usual, constant(0.0), constant(math.nan)):
            whole = judged(rule, recorded(values).trial())
            for steps in (1, 2, 4):
                past = judged(rule, recorded(values, steps).trial())
                assert {step: past[step] for step in range(steps)} == {step: whole[step] for step in range(steps)}

    def test_a_rule_that_found_something_was_able(self, rule: Rule, run: RecordedRun) -> None:
        trial = run.trial()
        assert rule.unable(trial) == "" or not any(judged(rule, trial).values())

    @pytest.mark.parametrize("name", ["nothing saved", "unrelated tensors"])
    def test_it_says_when_it_could_judge_nothing(self, rule: Rule, name: str) -> None:
        reason = rule.unable(TRIALS[name]().end().trial())
        if rule.name not in self.judges_anything:
            assert reason
            assert not reason.endswith(".")  # it is put into a sentence

    def test_it_may_judge_silence(self, rule: Rule, run: RecordedRun) -> None:
        trial = run.trial()
        if hasattr(rule, "while_idle"):
            assert list(rule.while_idle(trial, 0.0)) == []
            for finding in rule.while_idle(trial, 1e9):
                self.check(rule, trial, finding)

    def check(self, rule: Rule, trial: Trial, finding: Finding) -> None:
        """A finding has all that a reader needs, and can be written down."""
        assert finding.rule == rule.name
        assert finding.message.strip() and finding.why.strip() and finding.change.strip()
        assert "\n" not in finding.message
        assert all(isinstance(each, str) or math.isfinite(each) for each in finding.numbers.values()), finding.numbers
        assert finding.tensor == "" or trial.has_tensor(finding.tensor)
        mode = ModeKeys[finding.mode]
        assert not trial.steps() or trial.saved.global_step(finding.step, mode) is not None, (finding.step, mode)
        assert msgspec.json.decode(msgspec.json.encode(finding), type=Finding) == finding
