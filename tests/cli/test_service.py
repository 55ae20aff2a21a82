"""`sagehound up`, `down`, `status`, `env` and `run`, as processes."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys

import pytest

from sagehound import daemon

IDENTITY = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"


@pytest.fixture
def command(tmp_path):
    """Runs `sagehound ARGUMENTS` as a process; its home's service is ended at the end."""
    home = tmp_path / "home"
    variables = {**os.environ, "SAGEHOUND_HOME": str(home), "SAGEHOUND_PORT": "0"}

    def run(*arguments, **extra):
        argv = [sys.executable, "-m", "sagehound.cli", *map(str, arguments)]
        return subprocess.run(argv, env={**variables, **extra}, capture_output=True, text=True, timeout=60)

    yield run
    if daemon.running(home):
        daemon.stop(home)


def test_up_status_env_run_down(command, tmp_path):
    up = command("up", "--detach", "--account", "123456789012", "--region", "us-west-2")
    assert up.returncode == 0, up.stderr
    assert up.stdout == ""
    assert "account 123456789012, region us-west-2" in up.stderr

    again = command("up")
    assert again.returncode == 0
    assert "already runs" in again.stderr

    status = json.loads(command("status", "--json").stdout)
    assert status["account"] == "123456789012"
    assert status["training_jobs"] == status["endpoints"] == []
    assert command("status").stdout.startswith("Sagehound ")

    shell = f'eval "$({sys.executable} -m sagehound.cli env)" && {sys.executable} -c {shlex.quote(IDENTITY)}'
    whole = {**os.environ, "SAGEHOUND_HOME": str(tmp_path / "home")}
    done = subprocess.run(["bash", "-c", shell], env=whole, capture_output=True, text=True)
    assert done.stdout == "123456789012\n", done.stderr

    program = command("run", "--", sys.executable, "-c", f"{IDENTITY}; import sys; sys.exit(7)")
    assert (program.stdout, program.returncode) == ("123456789012\n", 7)

    script = tmp_path / "program.py"
    script.write_text("import sys\nprint(sys.argv[1:])\n")
    assert command("run", script, "--lr", "0.1").stdout == "['--lr', '0.1']\n"
    missing = command("run", "--", "no-such-program")
    assert (missing.returncode, missing.stderr.splitlines()[-1][:6]) == (1, "error:")

    down = command("down")
    assert down.returncode == 0
    assert "ended" in down.stderr
    assert command("status").returncode == 1


def test_run_starts_the_service_and_says_so(command):
    program = command("run", "--", sys.executable, "-c", IDENTITY)
    assert program.stdout == "000000000000\n", program.stderr
    assert "Sagehound started at" in program.stderr


def test_a_taken_port_is_said_with_the_way_out(command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        alone = command("up", "--port", port)
        detached = command("up", "--detach", "--port", port)
    for result in (alone, detached):
        assert result.returncode == 1
        assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in result.stderr
        assert "--port 0" in result.stderr
        assert "Traceback" not in result.stderr


def test_a_wrong_account_is_refused(command):
    result = command("up", "--detach", "--account", "12")
    assert result.returncode == 1
    assert result.stderr == "error: account '12' must be 12 digits, e.g. 123456789012\n"


@pytest.mark.parametrize("how", [(), ("--detach",)])
def test_a_home_that_is_none_is_refused(command, tmp_path, how):
    (tmp_path / "file").touch()
    refused = command("up", *how, "--home", tmp_path / "file")
    assert refused.returncode != 0
    assert "cannot be the service's home" in refused.stderr
    assert "Traceback" not in refused.stderr
