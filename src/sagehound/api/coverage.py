"""COVERAGE.md: what of AWS is offered, generated. `python -m sagehound.api.coverage > COVERAGE.md`"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

from sagehound.api.operations import OPERATIONS
from sagehound.api.support import REFUSED, WITHOUT_EFFECT
from sagehound.wire.services import SERVICES, Catalogue, Service

COMMAND = "python -m sagehound.api.coverage > COVERAGE.md"
_HEAD = """# Coverage

Generated from the service models of botocore {version}, the table of operations, the tables of fields, and the tests
that name an operation. Do not edit: run `{command}` in the repository.

An operation in a table does what AWS documents of it; any other is answered with `UnsupportedOperation` and its name.
Every field of an offered operation has its effect, but for the two tables at the end: fields that are refused, so that
a request fails at once and says what to change ("not yet" marks what a later version brings), and fields that are taken
and change nothing on one machine."""


def document(tests: Path) -> str:
    """COVERAGE.md's text; `tests` is the folder whose test files are searched."""
    return "\n\n".join([_HEAD.format(version=version("botocore"), command=COMMAND), *_sections(tests)]) + "\n"


def _sections(tests: Path) -> Iterator[str]:
    catalogue = Catalogue(OPERATIONS)
    for service in SERVICES:
        yield from _service(service, catalogue, tests)
    for page in ("tuning.md", "debugger.md", "profiler.md"):
        yield (Path(__file__).parent / page).read_text().strip()
    yield "## Fields that are refused by name"
    rows = [
        (name, path, instead) for name, fields in sorted(REFUSED.items()) for path, instead in sorted(fields.items())
    ]
    yield _table(("operation", "field", "what to do instead"), [(o, f"`{p}`", i) for o, p, i in rows])
    yield "## Fields that are accepted and have no effect here"
    yield "They are checked, kept and described as on AWS. The service's log names each once."
    without = [
        (name, ", ".join(f"`{path}`" for path in sorted(paths))) for name, paths in sorted(WITHOUT_EFFECT.items())
    ]
    yield _table(("operation", "fields"), without)


def _service(service: Service, catalogue: Catalogue, tests: Path) -> Iterator[str]:
    offered = sorted(operation for name, operation in OPERATIONS if name == service.name)
    known = catalogue.model(service).known
    yield f"## {service.name}: {len(offered)} of {len(known)} operations"
    yield _table(("operation", "tests"), [(name, ", ".join(_tested(name, tests)) or "none") for name in offered])
    missing = ", ".join(sorted(known - set(offered)))
    yield f"<details><summary>Not offered</summary>\n\n{missing}\n\n</details>"


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _tested(operation: str, tests: Path) -> list[str]:
    """The test files that name the operation as AWS does, as boto3 does, or as the AWS CLI does."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
    spelled = re.compile(rf"\b(?:{operation}|{snake}|{snake.replace('_', '-')})\b")
    return [name for name, text in _texts(tests) if spelled.search(text)]


@cache
def _texts(tests: Path) -> list[tuple[str, str]]:
    paths = sorted(tests.rglob("test_*.py"))
    return [(path.relative_to(tests).as_posix(), path.read_text()) for path in paths]


if __name__ == "__main__":
    sys.stdout.write(document(Path("tests")))
