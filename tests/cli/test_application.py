"""The command as a whole: help, version, and the words of failures."""

import subprocess
import sys

import pytest

import sagehound as package

COMMANDS = ["demo", "new", "run", "env", "up", "down", "status", "jobs", "logs", "stop", "endpoints", "predict"]


def test_version(sagehound):
    assert sagehound("--version").stdout == f"sagehound {package.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(sagehound, command):
    assert command in sagehound("--help").stdout
    result = sagehound(command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


@pytest.mark.parametrize(
    "command",
    [["status"], ["down"], ["env"], ["jobs"], ["logs", "j"], ["stop", "j"], ["endpoints"], ["predict", "e", "i.jpg"]],
)
def test_without_a_service_a_command_says_how_to_start_one(sagehound, tmp_path, command):
    result = sagehound(*command)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == f"error: no service runs in {tmp_path / 'home'}; start one with: sagehound up --detach\n"


def test_the_command_starts_without_heavy_libraries():
    heavy = {"boto3", "torch", "optuna", "numpy", "nbclient", "starlette"}
    code = f"import sys, sagehound.cli.application; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
