"""The README says what is there, and all of it."""

import ast
import re

import pytest
import typer.main

from sagehound.cli.application import app
from tests.architecture.sources import ROOT

README = (ROOT / "README.md").read_text()
COMMANDS = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_every_command_is_in_the_readme() -> None:
    assert {name for name in COMMANDS if f"sagehound {name}" not in README and f"`{name}" not in README} == set()


def test_every_command_in_the_readme_exists() -> None:
    named = set(re.findall(r"(?:^|`|\()\s*sagehound ([a-z]+)", README, re.MULTILINE))
    assert named - COMMANDS == set()


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_python_in_the_readme_compiles(code: str) -> None:
    ast.parse(code)


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(page: str) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text())
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_benchmark_says_what_it_measured() -> None:
    silent = [p.name for p in (ROOT / "benchmarks").glob("*.py") if not ast.get_docstring(ast.parse(p.read_text()))]
    assert silent == []
