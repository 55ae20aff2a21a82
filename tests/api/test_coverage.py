"""COVERAGE.md."""

from importlib.metadata import version
from pathlib import Path

import pytest

from sagehound.api.coverage import COMMAND, document
from sagehound.api.operations import OPERATIONS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def text():
    return document(ROOT / "tests")


def test_the_file_is_current(text):
    written = (ROOT / "COVERAGE.md").read_text()
    if f"botocore {version('botocore')}," not in written:
        pytest.skip("COVERAGE.md was generated from another version of botocore")
    assert written == text, f"COVERAGE.md is out of date; run: {COMMAND}"


def test_every_operation_is_listed_with_a_test(text):
    operations = text.partition("## Fields")[0].splitlines()
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in operations if line.startswith("| ")}
    for _, operation in OPERATIONS:
        assert "test_" in rows[operation], f"no test names {operation}"


def test_what_is_not_offered_is_listed_too(text):
    assert "CreateAutoMLJob," in text.partition("Not offered")[2]
    assert "`AsyncInferenceConfig`" in text and "`RoleArn`" in text


def test_tests_are_found_by_any_spelling(tmp_path):
    for name, spelling in (
        ("a", "CreateModel"),
        ("b", "sm.create_model("),
        ("c", "aws sagemaker create-model"),
        ("d", "CreateModels"),
    ):
        (tmp_path / f"test_{name}.py").write_text(spelling)
    assert "| CreateModel | test_a.py, test_b.py, test_c.py |" in document(tmp_path)
