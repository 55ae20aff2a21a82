"""The documented files."""

import json
from pathlib import Path

import numpy as np

from sagehound.profile.finding import Verdict
from sagehound.profile.findings.json_report import document, write
from sagehound.profile.findings.profiler_report import ProfilerReport
from sagehound.profile.findings.registry import RULES, build
from sagehound.testing.recorded_profile import loader_bound, low_gpu

DOCUMENTED = ["RuleTriggered", "Violations", "Details", "Datapoints", "RuleParameters"]


def test_every_rule_has_its_file_with_the_documented_keys(tmp_path: Path) -> None:
    report = build("ProfilerReport")
    assert isinstance(report, ProfilerReport)
    written = write(report.verdicts(low_gpu().profile), tmp_path)
    assert [path.stem for path in written] == list(RULES)
    assert {path.parent for path in written} == {tmp_path / "profiler-reports"}
    for path in written:
        assert list(json.loads(path.read_text()))[:5] == DOCUMENTED
    bottleneck = json.loads((tmp_path / "profiler-reports" / "CPUBottleneck.json").read_text())
    assert bottleneck["RuleTriggered"] == 1
    assert bottleneck["RuleParameters"] == "threshold:50\ngpu_threshold:10\ncpu_threshold:90\npatience:100"


def test_what_json_has_not_is_nothing() -> None:
    odd = Verdict(rule="R", details={"nan": float("nan"), "array": [np.float64(1.5), np.int64(2)], "path": Path("x")})
    assert document(odd)["Details"] == {"nan": None, "array": [1.5, 2], "path": "x"}


def test_the_report_is_triggered_when_a_rule_is() -> None:
    report = build("ProfilerReport")
    verdict = report.judge(loader_bound().profile)
    assert verdict.details["triggered"] == ["Dataloader", "LoaderBound"]
    assert [finding.rule for finding in verdict.findings] == ["Dataloader", "LoaderBound"]
    assert verdict.parameters["BatchSize_patience"] == 100
    assert "there is no GPU" in verdict.details["unable"]["BatchSize"]
