"""Users' rules from source files, written for the original debugger's import names."""

from pathlib import Path

import pytest

from sagehound.debug.judging.custom_source import load
from sagehound.errors import InvalidInput
from sagehound.testing.recorded_run import RecordedRun, info

LOSS = info("loss", "loss")
SOURCE = '''
from smdebug.rules.rule import Rule

class LossAbove(Rule):
    """The loss is too high."""

    def __init__(self, base_trial, limit="1.0", *, patience=1):
        super().__init__(base_trial)
        self.limit, self.patience, self.count = float(limit), int(patience), 0

    def set_required_tensors(self, step):
        self.req_tensors.add("loss", steps=[step])

    def invoke_at_step(self, step):
        self.count += self.req_tensors.get()[0].value(step) > self.limit
        return self.count >= self.patience

class NoRule:
    pass
'''


@pytest.fixture
def run() -> RecordedRun:
    run = RecordedRun()
    run.save({info("other", "custom"): 1.0})
    for loss in (0.5, 2.0, 3.0):
        run.save({LOSS: loss})
    return run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "my_rule.py").write_text(SOURCE)
    return tmp_path / "my_rule.py"


def test_it_is_judged_like_a_built_in_rule(run: RecordedRun, path: Path) -> None:
    trial = run.trial()
    given = {"rule_to_invoke": "LossAbove", "source_s3_uri": "s3://b/my_rule.py", "limit": "1.5", "patience": "2"}
    rule = load(path, "LossAbove", given, trial)
    found = [finding for step in trial.steps() for finding in rule.findings(trial, step)]
    assert [(each.rule, each.step, each.mode, each.why) for each in found] == [
        ("LossAbove", 3, "GLOBAL", "The loss is too high.")
    ]
    assert found[0].message == "Evaluation of the rule LossAbove at step 3 resulted in the condition being met"
    assert "my_rule.py" in found[0].change
    assert rule.unable(trial) == ""


def test_it_says_when_it_could_judge_nothing(path: Path) -> None:
    run = RecordedRun()
    run.save({info("other", "custom"): 1.0})
    rule = load(path, "LossAbove", {}, run.trial())
    assert list(rule.findings(run.trial(), 0)) == []
    assert "set_required_tensors" in rule.unable(run.trial())


@pytest.mark.parametrize(
    ("source", "class_name", "parameters", "said"),
    [
        (SOURCE, "LosAbove", {}, r"my_rule.py has no rule 'LosAbove' .* there are LossAbove"),
        (SOURCE, "NoRule", {}, "must be a class that derives from smdebug.rules.rule.Rule"),
        (SOURCE, "LossAbove", {"limt": "1"}, "parameters of LossAbove do not fit: .*'limt'; .* takes limit, patience"),
        (SOURCE, "LossAbove", {"limit": "x"}, r"could not be made: ValueError: .* \(my_rule.py line 9\)"),
        ("def broken(:\n", "LossAbove", {}, "my_rule.py line 1 is no Python: invalid syntax"),
        ("import no_such_module\n", "LossAbove", {}, "failed on import: ModuleNotFoundError: No module named"),
    ],
)
def test_what_is_wrong_is_named(
    run: RecordedRun, path: Path, source: str, class_name: str, parameters: dict[str, str], said: str
) -> None:
    path.write_text(source)
    with pytest.raises(InvalidInput, match=said):
        load(path, class_name, parameters, run.trial())
    with pytest.raises(InvalidInput, match=r"lost\.py is no Python file"):
        load(path.with_name("lost.py"), class_name, parameters, run.trial())
