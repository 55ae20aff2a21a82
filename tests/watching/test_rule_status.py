"""The file that a rule's status is told in."""

import json
from pathlib import Path

from sagehound.debug.finding import Finding
from sagehound.watching.rule_status import RuleStatus, Status, write

FINDING = Finding(rule="R", step=3, message="m.", why="w", change="c", numbers={"loss": "nan"})


def test_it_is_what_control_reads(tmp_path: Path) -> None:
    write(tmp_path, "my rule", RuleStatus(status=Status.ISSUES_FOUND, details="d", updated_at=1.5, findings=(FINDING,)))
    assert json.loads((tmp_path / "my rule.json").read_text()) == {
        "status": "IssuesFound",
        "details": "d",
        "updated_at": 1.5,
        "findings": [
            {"rule": "R", "step": 3, "message": "m.", "why": "w", "change": "c", "numbers": {"loss": "nan"}},
        ],
    }
    assert [path.name for path in tmp_path.iterdir()] == ["my rule.json"]


def test_details_are_as_long_as_they_may_be(tmp_path: Path) -> None:
    write(tmp_path, "a/b", RuleStatus(details="x" * 5000))
    assert len(json.loads((tmp_path / "a_b.json").read_text())["details"]) == 1024
