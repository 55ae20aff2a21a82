"""The command, run in this process, its two streams apart."""

from __future__ import annotations

import os

import pytest
from typer.testing import CliRunner

from sagehound.cli.application import app


@pytest.fixture
def sagehound(monkeypatch, tmp_path):
    """Runs `sagehound ARGUMENTS` in a fresh home and gives its result: exit_code, stdout, stderr. What a command
    sets in the environment, as a process of its own would, is undone."""
    monkeypatch.setenv("SAGEHOUND_HOME", str(tmp_path / "home"))
    before = dict(os.environ)

    def run(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    yield run
    os.environ.clear()
    os.environ.update(before)
