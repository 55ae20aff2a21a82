"""COVERAGE.md."""

from importlib.metadata import version
from pathlib import Path

import pytest

from sagehound.api.coverage import COMMAND, document
from sagehound.api.operations import OPERATIONS
from sagehound.api.support import REFUSED, WITHOUT_EFFECT
from sagehound.wire.model import load_model

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


#: Written whole into the job's files, or read as one.
WHOLE = ("DebugHookConfig.", "ProfilerConfig.", "DataCaptureConfig.", "PrimaryContainer.Mode", "Containers.Mode")


@pytest.mark.parametrize(
    "operation", sorted(name for name in REFUSED.keys() | WITHOUT_EFFECT.keys() if "Invoke" not in name)
)
def test_every_field_is_read_refused_or_said_to_have_no_effect(operation, text):
    """A field that is read is named, in quotes, in the sources of `api`."""
    sources = "".join(path.read_text() for path in (ROOT / "src/sagehound/api").glob("*.py") if path.stem != "support")
    known = [path for path in REFUSED.get(operation, {}) if "=" not in path] + list(WITHOUT_EFFECT.get(operation, ()))
    model = load_model("sagemaker", [operation])
    for path in fields(model, model.operations[operation].input.shape, ()):
        told = path.startswith(WHOLE) or any(path == field or path.startswith(f"{field}.") for field in known)
        assert told or f'"{path.rpartition(".")[2]}"' in sources, f"{operation}: {path} is in no table"


def fields(model, name, path):
    """Dotted paths of every field below a shape, through lists."""
    shape = model.shapes[name]
    if shape.type == "structure":
        for member, reference in shape.members.items():
            yield from fields(model, reference.shape, (*path, member))
    elif shape.type == "list":
        yield from fields(model, shape.member.shape, path)
    else:
        yield ".".join(path)
