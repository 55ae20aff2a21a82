"""The rule process, over folders as a hook writes them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sagehound.debug.evaluator import main, run
from tests.debug.folder_run import FolderRun

CUSTOM = """
from sagehound.debug.judging.custom_rule import Rule

class CustomGradientRule(Rule):
    def __init__(self, base_trial, threshold=10.0):
        super().__init__(base_trial)
        self.threshold = float(threshold)

    def set_required_tensors(self, step):
        for tname in self.base_trial.tensor_names(collection="gradients"):
            self.req_tensors.add(name=tname, steps=[step])

    def invoke_at_step(self, step):
        for t in self.req_tensors.get():
            abs_mean = t.reduction_value(step, "mean", abs=True)
            if abs_mean > self.threshold:
                return True
        return False

class Faulty(Rule):
    def invoke_at_step(self, step):
        return {}["missing"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "custom.py").write_text(CUSTOM)
    return tmp_path / "rules"


def ask(folder: Path, *rules: dict[str, Any]) -> None:
    request = {"trial": str(folder.parent / "tensors"), "job": "job-1", "rules": list(rules)}
    (folder / "request.json").write_text(json.dumps(request))


def custom(name: str, class_name: str = "CustomGradientRule", **parameters: str) -> dict[str, Any]:
    """`judged` fills in the source."""
    parameters = {"rule_to_invoke": class_name, **parameters}
    return {"name": name, "rule": class_name, "parameters": parameters, "source": ""}


def judged(folder: Path, *rules: dict[str, Any]) -> dict[str, Any]:
    """What each rule says, once the evaluator has come to its end."""
    source = str(folder.parent / "custom.py")
    ask(folder, *({**rule, "source": source} if rule.get("source") == "" else rule for rule in rules))
    run(folder, sleep=lambda _: None)
    return {rule["name"]: json.loads((folder / f"{rule['name']}.json").read_text()) for rule in rules}


def test_rules_are_judged_to_the_end_of_a_training(folder: Path) -> None:
    training = FolderRun(folder.parent / "tensors")
    for gradient in (1.0, 1e-9, 1e-9):
        training.save(gradient)
    training.close()
    said = judged(
        folder,
        {"name": "Vanishing", "rule": "VanishingGradient", "parameters": {"threshold": "1e-7"}},
        {"name": "Lenient", "rule": "VanishingGradient", "parameters": {"threshold": "1e-12"}},
        custom("Mine", threshold="0.5"),
        custom("MineToo"),
    )
    assert {name: each["status"] for name, each in said.items()} == {
        "Vanishing": "IssuesFound",
        "Lenient": "NoIssuesFound",
        "Mine": "IssuesFound",
        "MineToo": "NoIssuesFound",
    }
    assert said["Vanishing"]["details"].startswith(
        "RuleEvaluationConditionMet: Evaluation of the rule VanishingGradient at step 10 resulted in the condition "
        "being met. The gradient of Net_fc.weight"
    )
    assert [finding["step"] for finding in said["Vanishing"]["findings"]] == [10]  # 20 is the same tensor's
    assert said["Mine"]["details"] == (
        "RuleEvaluationConditionMet: Evaluation of the rule CustomGradientRule at step 0 resulted in the condition "
        "being met"
    )


def test_a_rule_that_cannot_run_says_why_and_the_others_go_on(folder: Path) -> None:
    training = FolderRun(folder.parent / "tensors")
    training.save()
    training.close()
    (folder.parent / "broken.py").write_text("class Rule(:\n")
    said = judged(
        folder,
        {"name": "Unknown", "rule": "VanishingGradients"},
        {"name": "Typo", "rule": "VanishingGradient", "parameters": {"treshold": "1"}},
        {"name": "Text", "rule": "VanishingGradient", "parameters": {"threshold": "small"}},
        {"name": "Trees", "rule": "TreeDepth"},
        {"name": "Broken", "rule": "Rule", "source": str(folder.parent / "broken.py")},
        {"name": "Lost", "rule": "Rule", "source": str(folder.parent / "lost.py")},
        custom("NoSuchClass", "Gradient"),
        custom("NoSuchParameter", limit="3"),
        custom("BadNumber", threshold="much"),
        custom("Raises", "Faulty"),
        {"name": "Good", "rule": "VanishingGradient"},
    )
    errors = {name: each["details"] for name, each in said.items() if each["status"] == "Error"}
    assert "VanishingGradient" in errors["Unknown"]
    assert "treshold" in errors["Typo"] and "threshold" in errors["Typo"].replace("treshold", "")
    assert "small" in errors["Text"]
    assert "XGBoost" in errors["Trees"]
    assert errors["Broken"] == "broken.py line 1 is no Python: invalid syntax"
    assert "lost.py" in errors["Lost"]
    assert "there are CustomGradientRule, Faulty" in errors["NoSuchClass"]
    assert "limit" in errors["NoSuchParameter"] and "takes threshold" in errors["NoSuchParameter"]
    assert "could not convert string to float: 'much' (custom.py line 7)" in errors["BadNumber"]
    assert errors["Raises"] == "KeyError: 'missing' (custom.py line 22, in invoke_at_step, at step 0)"
    assert said.keys() - errors.keys() == {"Good"}
    assert said["Good"]["status"] == "NoIssuesFound"


def test_a_rule_that_exits_is_an_error_that_says_where(folder: Path) -> None:
    training = FolderRun(folder.parent / "tensors")
    training.save()
    training.close()
    leaves, leaving = folder.parent / "leaves.py", folder.parent / "leaving.py"
    leaves.write_text(
        "import sys\nfrom smdebug.rules.rule import Rule\nclass Leaves(Rule):\n"
        "    def invoke_at_step(self, step):\n        sys.exit(3)\n"
    )
    leaving.write_text("import sys\nsys.exit(4)\n")
    said = judged(
        folder,
        {"name": "AtStep", "rule": "Leaves", "source": str(leaves)},
        {"name": "AtImport", "rule": "Leaving", "source": str(leaving)},
    )
    assert said["AtStep"]["details"] == "SystemExit: 3 (leaves.py line 5, in invoke_at_step, at step 0)"
    assert said["AtImport"]["details"] == "leaving.py failed on import: SystemExit: 4 (leaving.py line 2)"


def test_a_job_that_ends_without_tensors_says_what_may_be_wrong(folder: Path) -> None:
    (folder / "ended").touch()
    said = judged(folder, {"name": "Vanishing", "rule": "VanishingGradient"})
    assert said["Vanishing"]["status"] == "Error"
    assert said["Vanishing"]["details"].startswith("no tensors were saved: no hook wrote anything.")


def test_a_hook_that_was_never_due_is_told_from_none(folder: Path) -> None:
    training = FolderRun(folder.parent / "tensors")
    training.step = 300
    training.close()
    said = judged(folder, {"name": "Vanishing", "rule": "VanishingGradient"})
    assert "counted 301 steps" in said["Vanishing"]["details"]


def test_what_a_rule_lacks_is_an_error_at_the_end(folder: Path) -> None:
    training = FolderRun(folder.parent / "tensors")
    training.save()
    training.close()
    said = judged(folder, {"name": "NotFinite", "rule": "DeadRelu"})
    assert said["NotFinite"]["status"] == "Error"
    assert said["NotFinite"]["details"].startswith("The rule DeadRelu could judge nothing: ")


def test_a_killed_training_is_judged_as_far_as_it_came(folder: Path) -> None:
    """Its hook was never closed: that the job is over is told by the file `ended`."""
    training = FolderRun(folder.parent / "tensors")
    training.save(1e-9)
    turns: list[float] = []

    def asleep(seconds: float) -> None:
        turns.append(seconds)
        status = json.loads((folder / "Vanishing.json").read_text())["status"]
        if status == "IssuesFound":
            assert not (folder / "ended").exists()  # it was seen while the training ran
            (folder / "ended").touch()

    ask(folder, {"name": "Vanishing", "rule": "VanishingGradient"}, {"name": "Lenient", "rule": "DeadRelu"})
    run(folder, sleep=asleep)
    assert turns
    assert json.loads((folder / "Vanishing.json").read_text())["status"] == "IssuesFound"
    training.close()


def test_a_request_that_cannot_be_read_is_an_exit_status(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "nice", lambda _: 0)  # the tests go on at their own niceness
    (folder / "request.json").write_text("{")
    assert main([str(folder)]) == 2
    assert main([]) == 2
    assert "request.json" in capsys.readouterr().err


def test_the_process_ends_by_itself_and_loads_no_torch(folder: Path) -> None:
    training = FolderRun(folder.parent / "tensors")
    training.save(1e-9)
    training.close()
    ask(folder, {"name": "Vanishing", "rule": "VanishingGradient"})
    code = (
        "import sys, os; from sagehound.debug import evaluator; status = evaluator.main(sys.argv[1:]); "
        "print(status, os.nice(0), sorted({'torch', 'pandas', 'boto3', 'matplotlib'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n")[0] == f"0 {min(19, os.nice(0) + 10)} []"
    assert json.loads((folder / "Vanishing.json").read_text())["status"] == "IssuesFound"


def test_the_process_ends_with_its_parent(folder: Path) -> None:
    ask(folder, {"name": "Vanishing", "rule": "VanishingGradient"})
    parent = (
        "import subprocess, sys; "
        "child = subprocess.Popen([sys.executable, '-m', 'sagehound.debug.evaluator', sys.argv[1]]); "
        "print(child.pid, flush=True); sys.stdin.read(1)"
    )
    command = [sys.executable, "-c", parent, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        assert started.stdout is not None and started.stderr is not None
        assert int(started.stdout.readline()) > 0
        status = folder / "Vanishing.json"
        while not status.exists():
            assert started.poll() is None
        started.kill()
        # The child holds the other end of this pipe until it ends.
        assert started.stderr.read() is not None
    assert json.loads(status.read_text())["status"] == "InProgress"


def test_a_rule_that_loops_and_prints_ends_with_the_parent_and_its_log_is_kept_small(tmp_path: Path) -> None:
    log = tmp_path / "log"
    loops = (
        "import threading, sys; from sagehound.debug.evaluator import watch_over; "
        "threading.Thread(target=watch_over, args=(1000,), daemon=True).start()\n"
        "while True: print('x' * 100, file=sys.stderr)"
    )
    parent = f"""
import subprocess, sys, os, time
child = subprocess.Popen([sys.executable, "-c", {loops!r}], stdout=1, stderr=open({str(log)!r}, "ab"))
while not (os.path.exists({str(log)!r}) and os.path.getsize({str(log)!r}) > 10_000): time.sleep(0.01)
grown = 0
while os.path.getsize({str(log)!r}) >= grown: grown = os.path.getsize({str(log)!r})
print("cut short", flush=True)
os._exit(0)
"""
    # The child holds the other end of this pipe until it ends.
    done = subprocess.run([sys.executable, "-c", parent], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "cut short\n"
