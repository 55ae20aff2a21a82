"""A user's own rule, from a source file, as one of the rules that are judged."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType

from sagehound.debug.finding import Finding
from sagehound.debug.judging import custom_rule
from sagehound.debug.trial import Trial
from sagehound.errors import InvalidInput, RuleEvaluationConditionMet, StepUnavailable

#: What the SDK and the guide add to a rule's parameters without the rule's need.
_NOT_THE_RULES = {"rule_to_invoke", "source_s3_uri", "action_json", "base_trial"}
#: Where the import name `smdebug` lives, which users' rules import from.
_DROPIN = Path(__file__).resolve().parents[2] / "dropin"


class CustomRule:
    """A `custom_rule.Rule` of a user's, judged like a built-in rule. It may remember what it saw: it is asked once for
    each step, in order."""

    def __init__(self, rule: custom_rule.Rule, source: str = "") -> None:
        self.rule = rule
        self.name = rule.rule_name
        self._where = f" in {source}" if source else ""
        self._judged = False

    def findings(self, trial: Trial, step: int) -> Iterable[Finding]:
        try:
            self.rule.invoke(step)
            self._judged = True
        except (*custom_rule.NOTHING_TO_JUDGE, StepUnavailable):
            return
        except RuleEvaluationConditionMet as met:
            self._judged = True
            yield Finding(
                rule=self.name,
                step=step,
                message=str(met),
                why=(type(self.rule).__doc__ or "").strip() or f"The rule is your own: {self.name}.invoke_at_step.",
                change=f"See what {self.name} looks at{self._where}, from this step on.",
            )

    def unable(self, trial: Trial) -> str:
        if self._judged or not trial.saved.numbers():
            return ""
        return "no saved step had all the tensors that set_required_tensors() asked for"


def load(path: Path, class_name: str, parameters: Mapping[str, str], trial: Trial) -> CustomRule:
    """The rule of that class in that file, made with the trial and the parameters as keywords; InvalidInput says what
    is wrong with the file, the name or the parameters."""
    module = _module(path)
    made = getattr(module, class_name, None)
    if not (isinstance(made, type) and issubclass(made, custom_rule.Rule)):
        known = [name for name, value in vars(module).items() if _is_rule(value)]
        raise InvalidInput(
            f"{path.name} has no rule {class_name!r} (rule_to_invoke): it must be a class that derives from "
            f"smdebug.rules.rule.Rule; there are {', '.join(known) or 'none'}"
        )
    given = {name: value for name, value in parameters.items() if name not in _NOT_THE_RULES}
    _check(made, class_name, given)
    return CustomRule(_make(made, class_name, trial, given), path.name)


def _make(made: type[custom_rule.Rule], name: str, trial: Trial, given: Mapping[str, str]) -> custom_rule.Rule:
    try:
        return made(trial, **given)  # type: ignore[arg-type]
    except (Exception, SystemExit) as error:
        raise InvalidInput(f"{name} could not be made: {type(error).__name__}: {error}{_place(error)}") from error


def _check(made: type[custom_rule.Rule], name: str, given: Mapping[str, str]) -> None:
    """Its __init__ takes these keywords after the trial, and needs no others."""
    try:
        inspect.signature(made).bind(object(), **given)
    except TypeError as error:
        taken = list(inspect.signature(made).parameters)[1:]
        raise InvalidInput(
            f"the parameters of {name} do not fit: {error}; its __init__ takes {', '.join(taken) or 'none'}"
        ) from None


def _module(path: Path) -> ModuleType:
    for folder in (str(path.parent), str(_DROPIN)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(f"custom_rule_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise InvalidInput(f"the custom rule's source {path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise InvalidInput(f"{path.name} line {error.lineno} is no Python: {error.msg}") from error
    except (Exception, SystemExit) as error:
        raise InvalidInput(f"{path.name} failed on import: {type(error).__name__}: {error}{_place(error)}") from error
    return module


def _is_rule(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, custom_rule.Rule) and value is not custom_rule.Rule


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({Path(frames[-1].filename).name} line {frames[-1].lineno})" if frames else ""
