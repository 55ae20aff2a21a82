"""The process that judges profiles, over files as the profiler writes them."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from sagehound.profile.evaluator import Evaluator, main, run
from sagehound.profile.finding import Verdict
from sagehound.profile.profile import Profile
from sagehound.testing.profile_files import write_profile
from sagehound.testing.recorded_profile import RecordedProfile, healthy, loader_bound, slow_first_step

Written = list[tuple[list[str], list[str]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    return tmp_path / "rules"


def ask(folder: Path, recorded: RecordedProfile, *rules: tuple[str, str, dict[str, str]], ended: bool = True) -> None:
    profile = recorded.profile
    prefix = write_profile(profile, folder.parent)
    job = {name: value for name, value in asdict(profile.job).items() if name != "facts"}
    request = {
        "profile": str(prefix),
        "output": str(folder.parent / "output"),
        "job": job,
        "metrics": str(folder.parent / "metrics.jsonl"),
        "tensors": None,
        "debugger_rules": str(folder.parent / "debugger"),
        "rules": [{"name": name, "rule": rule, "parameters": given} for name, rule, given in rules],
    }
    (folder / "request.json").write_text(json.dumps(request))
    if ended:
        (folder / "ended").touch()


def said(folder: Path) -> dict[str, Any]:
    return {p.stem: json.loads(p.read_bytes()) for p in folder.glob("*.json") if p.name != "request.json"}


def judged(folder: Path) -> tuple[dict[str, Any], Written]:
    """What each rule says once the evaluator has come to its end, and what was written of reports."""
    written: Written = []

    def note(
        profile: Profile, verdicts: Sequence[Verdict], debugger: Sequence[Mapping[str, Any]], to: Path, source: str
    ) -> Path:
        written.append(([each.rule for each in verdicts if each.findings], [each["rule"] for each in debugger]))
        return to

    run(folder, note)
    return said(folder), written


def test_statuses_and_files(folder: Path) -> None:
    (folder.parent / "debugger").mkdir()
    debugged = {"status": "IssuesFound", "findings": [{"rule": "Overfit", "step": 3}]}
    (folder.parent / "debugger" / "Overfit.json").write_text(json.dumps(debugged))
    (folder.parent / "debugger" / "request.json").write_text('{"rules": []}')
    (folder.parent / "debugger" / "gpu.json").write_text(json.dumps({**debugged, "findings": [{"rule": "own"}]}))
    (folder.parent / "debugger" / "cut.json").write_text('{"status": "Issu')
    ask(folder, loader_bound(), ("ProfilerReport-1", "ProfilerReport", {}), ("gpu", "LowGPUUtilization", {}))
    statuses, written = judged(folder)
    report_status = statuses["ProfilerReport-1"]
    assert report_status["status"] == "IssuesFound"
    assert report_status["details"].startswith(
        "RuleEvaluationConditionMet: Evaluation of the rule ProfilerReport at step 0 resulted in the condition being "
        "met. "
    )
    assert {each["rule"] for each in report_status["findings"]} == {"Dataloader", "LoaderBound"}
    assert (statuses["gpu"]["status"], statuses["gpu"]["findings"]) == ("NoIssuesFound", [])
    assert statuses["gpu"]["details"].endswith("could judge nothing: there is no GPU on this machine")
    assert written == [(["Dataloader", "LoaderBound"], ["Overfit"])]
    output = folder.parent / "output"
    assert len(list((output / "ProfilerReport-1" / "profiler-output" / "profiler-reports").iterdir())) == 21
    names = [p.name for p in (output / "gpu" / "profiler-output" / "profiler-reports").iterdir()]
    assert names == ["LowGPUUtilization.json"]


def test_nothing_to_find(folder: Path) -> None:
    ask(folder, healthy(), ("report", "ProfilerReport", {}))
    status = judged(folder)[0]["report"]
    assert (status["status"], status["details"]) == ("NoIssuesFound", "")


def test_a_wrong_parameter_is_the_rules_error_and_others_go_on(folder: Path) -> None:
    ask(
        folder,
        healthy(),
        ("bad", "BatchSize", {"window": "0"}),
        ("none", "Overfit", {}),
        ("report", "ProfilerReport", {}),
    )
    statuses, _ = judged(folder)
    assert {name: status["status"] for name, status in statuses.items()} == {
        "bad": "Error",
        "none": "Error",
        "report": "NoIssuesFound",
    }
    assert "allowed is 1 to" in statuses["bad"]["details"]
    assert "there is no profiler rule 'Overfit'" in statuses["none"]["details"]


def test_a_report_that_fails_takes_no_verdict_along(folder: Path) -> None:
    def fail(*_: Any) -> Path:
        raise OSError("disk full")

    ask(folder, loader_bound(), ("report", "ProfilerReport", {}))
    run(folder, fail)
    assert said(folder)["report"]["status"] == "IssuesFound"
    assert "could not be written: OSError: disk full" in said(folder)["report"]["details"]
    ask(folder, healthy(), ("report", "ProfilerReport", {}))
    run(folder, fail)
    assert said(folder)["report"]["status"] == "Error"


def test_while_the_job_runs_a_finding_counts_when_it_was_seen_twice(folder: Path) -> None:
    ask(folder, loader_bound(), ("report", "ProfilerReport", {}), ("loader", "LoaderBound", {}), ended=False)
    evaluator = Evaluator(folder, lambda *_: folder)
    assert {status["status"] for status in said(folder).values()} == {"InProgress"}
    evaluator.look(ended=False)
    assert {status["status"] for status in said(folder).values()} == {"InProgress"}
    evaluator.look(ended=False)
    assert {status["status"] for status in said(folder).values()} == {"IssuesFound"}


def test_a_first_step_is_judged_when_the_job_is_over(folder: Path) -> None:
    ask(folder, slow_first_step(), ("first", "FirstStep", {}), ("report", "ProfilerReport", {}), ended=False)
    evaluator = Evaluator(folder, lambda *_: folder)
    for _ in range(3):
        evaluator.look(ended=False)
    assert {status["status"] for status in said(folder).values()} == {"InProgress"}
    evaluator.look(ended=True)
    assert {status["status"] for status in said(folder).values()} == {"IssuesFound"}


def test_losses_that_the_debugger_saved_are_in_the_profile(folder: Path) -> None:
    ask(folder, healthy(), ("r", "ProfilerReport", {}))
    request = json.loads((folder / "request.json").read_text())
    (folder / "request.json").write_text(json.dumps({**request, "tensors": str(folder.parent / "tensors")}))
    manifest = folder.parent / "tensors" / "manifest" / "worker_0" / "000000.jsonl"
    manifest.parent.mkdir(parents=True)
    layout = {"type": "layout", "number": 0, "tensors": [{"name": "mine", "kind": "loss"}]}
    step = {
        "type": "step",
        "step": 0,
        "mode": "TRAIN",
        "mode_step": 0,
        "layout": 0,
        "at": 9.0,
        "scalars": {"mine": 2.5},
    }
    manifest.write_text(f"{json.dumps(layout)}\n{json.dumps(step)}\nbroken\n")
    seen: list[Profile] = []

    def keep(
        profile: Profile, verdicts: Sequence[Verdict], debugger: Sequence[Mapping[str, Any]], to: Path, source: str
    ) -> Path:
        seen.append(profile)
        return to

    run(folder, keep)
    assert (9.0, "mine (train loss, saved)", 2.5) in [tuple(row.values()) for row in seen[0].curves.to_pylist()]
    assert "1 lines of the debugger's manifest could not be read" in seen[0].job.problems


def test_a_profile_that_cannot_be_read_is_an_error_after_some_tries(folder: Path) -> None:
    ask(folder, healthy(), ("report", "ProfilerReport", {}))
    request = json.loads((folder / "request.json").read_text())
    (folder / "request.json").write_text(json.dumps({**request, "profile": str(folder / "request.json")}))
    pauses: list[float] = []
    run(folder, lambda *_: folder, sleep=pauses.append)
    assert said(folder)["report"]["status"] == "Error"
    assert "could not be read" in said(folder)["report"]["details"]
    assert len(pauses) == 9


def test_a_job_that_left_no_profile(folder: Path) -> None:
    ask(folder, healthy(), ("report", "ProfilerReport", {}), ("first", "FirstStep", {}))
    request = json.loads((folder / "request.json").read_text())
    (folder.parent / "empty").mkdir()
    (folder / "request.json").write_text(json.dumps({**request, "profile": str(folder.parent / "empty")}))
    statuses, _ = judged(folder)
    assert {status["status"] for status in statuses.values()} == {"NoIssuesFound"}
    assert "0 training steps are too few" in statuses["first"]["details"]


def test_a_request_that_cannot_be_read(folder: Path, capsys: pytest.CaptureFixture[str], no_nice: None) -> None:
    assert main([]) == 2
    assert main([str(folder)]) == 2
    (folder / "request.json").write_text("{")
    assert main([str(folder)]) == 2
    assert "request.json" in capsys.readouterr().err


@pytest.fixture
def no_nice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "nice", lambda _: 0)


def test_the_process_writes_the_report_without_torch(folder: Path) -> None:
    ask(folder, loader_bound(), ("report", "ProfilerReport", {}))
    code = f"""
import sys
from sagehound.profile.evaluator import main
assert main([{str(folder)!r}]) == 0
print({{"torch", "boto3"}} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
    assert said(folder)["report"]["status"] == "IssuesFound"
    output = folder.parent / "output" / "report" / "profiler-output"
    assert {"profiler-report.html", "profiler-report.ipynb", "profiler-reports"} == {p.name for p in output.iterdir()}
