"""The client environment, with real clients in processes of their own and a listener in the service's place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import sagehound
from sagehound.address import Address
from sagehound.client import DROPIN, activate, deactivate, environment
from sagehound.errors import InvalidInput
from sagehound.keys import Keys, load_keys

KEYS = Keys("AKIATEST", "secret")
IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    "<Arn>arn:aws:sts::000000000000:assumed-role/r/s</Arn><Account>000000000000</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


class Listener(ThreadingHTTPServer):
    """Answers /ping and STS, and keeps what it was sent."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answers)
        self.seen: list[tuple[str, str, str]] = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    def _answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.server.seen.append((self.path, self.headers.get("Authorization", ""), body))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(IDENTITY.encode())

    do_GET = do_POST = do_PUT = _answer  # noqa: N815

    def log_message(self, *_):
        return


@pytest.fixture
def listener():
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def address(listener):
    return Address(
        endpoint=listener.url, s3_endpoint=listener.url, account="000000000000", region="us-west-2", pid=os.getpid()
    )


@pytest.fixture
def home(tmp_path, address):
    """A home whose service the listener plays."""
    folder = tmp_path / "home"
    folder.mkdir()
    address.save(folder)
    return folder


def python(code: str, variables: dict[str, str], base: dict[str, str] | None = None) -> str:
    whole = {"PATH": os.environ["PATH"], **(base or {}), **variables}
    done = subprocess.run([sys.executable, "-c", code], env=whole, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


STS = (
    "import boto3; s = boto3.client('sts', region_name='us-east-1', endpoint_url='https://sts.us-east-1.amazonaws.com');"
    "print(s.get_caller_identity()['Account'])"
)


def test_an_explicit_sts_endpoint_is_redirected_and_signed_with_the_homes_keys(address, home, listener):
    assert python(STS, environment(address, KEYS, home)) == "000000000000"
    _, authorization, body = listener.seen[-1]
    assert "GetCallerIdentity" in body
    assert "Credential=AKIATEST/" in authorization
    assert "/us-east-1/sts/" in authorization


def test_a_presigned_address_is_the_services_too(address, home):
    code = (
        "import boto3; print(boto3.client('s3', endpoint_url='https://s3.us-west-2.amazonaws.com')"
        ".generate_presigned_url('get_object', Params={'Bucket': 'b', 'Key': 'k'}))"
    )
    assert python(code, environment(address, KEYS, home)).startswith(f"{address.s3_endpoint}/b/k?")


def test_an_endpoint_of_the_users_own_is_left_alone(address, home):
    code = (
        "import boto3; print(boto3.client('s3', endpoint_url='http://127.0.0.1:1')"
        ".generate_presigned_url('get_object', Params={'Bucket': 'b', 'Key': 'k'}))"
    )
    assert python(code, environment(address, KEYS, home)).startswith("http://127.0.0.1:1/b/k?")


def test_nothing_of_the_users_aws_settings_leaks_in(address, home, tmp_path, listener):
    aws = tmp_path / ".aws"
    aws.mkdir()
    (aws / "config").write_text("[profile school]\nregion = eu-west-3\nendpoint_url = http://127.0.0.1:1\n")
    (aws / "credentials").write_text("[school]\naws_access_key_id = AKIAREAL\naws_secret_access_key = real\n")
    base = {
        "HOME": str(tmp_path),
        "AWS_PROFILE": "school",
        "AWS_SESSION_TOKEN": "real-token",
        "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "NO_PROXY": "example.com",
    }
    variables = environment(address, KEYS, home, base)
    code = (
        "import boto3; boto3.client('sts').get_caller_identity();"
        "s = boto3.Session(profile_name='school'); print(s.get_credentials().access_key, s.region_name)"
    )
    assert python(code, variables, base) == "AKIATEST us-west-2"
    assert len(listener.seen) == 1
    assert "AKIAREAL" not in listener.seen[0][1]
    assert variables["NO_PROXY"] == "127.0.0.1,localhost,example.com"


def test_the_plugin_and_path_stand_in_front_of_the_users_own_once(address, home):
    base = {"PYTHONPATH": "/mine", "BOTOCORE_EXPERIMENTAL__PLUGINS": "mine=my_plugin"}
    once = environment(address, KEYS, home, base)
    assert once["PYTHONPATH"] == f"{DROPIN}{os.pathsep}/mine"
    assert once["BOTOCORE_EXPERIMENTAL__PLUGINS"] == "sagehound=sagehound_botocore,mine=my_plugin"
    assert environment(address, KEYS, home, {**base, **once}) == once


def test_the_files_with_keys_are_the_owners_alone(address, home):
    environment(address, KEYS, home, {})
    modes = {path.name: path.stat().st_mode & 0o777 for path in (home / "client").iterdir()}
    assert modes == {"aws-config": 0o600, "aws-credentials": 0o600, "sagemaker.yaml": 0o600}


def test_the_sdk_reads_that_telemetry_is_off(address, home):
    code = (
        "import json, os; from sagemaker.config import load_sagemaker_config as load;"
        "print(json.dumps(load()['SageMaker']['PythonSDK']['Modules']['TelemetryOptOut']))"
    )
    assert json.loads(python(code, environment(address, KEYS, home)).splitlines()[-1]) is True


def test_the_plugin_needs_nothing_of_sagehound():
    code = "import sys, sagehound_botocore; print('sagehound' in sys.modules, 'botocore' in sys.modules)"
    assert python(code, {"PYTHONPATH": str(DROPIN)}) == "False False"


def test_activate_works_after_boto3_was_used_and_is_undone(home, listener, monkeypatch):
    for name, value in {
        "AWS_ACCESS_KEY_ID": "MINE",
        "AWS_SECRET_ACCESS_KEY": "mine",
        "AWS_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    import boto3

    boto3.setup_default_session()
    assert boto3.client("sts").meta.endpoint_url.endswith("amazonaws.com")
    before = dict(os.environ)
    active = activate(home)
    try:
        sts = boto3.client("sts", endpoint_url="https://sts.eu-west-1.amazonaws.com")
        assert sts.get_caller_identity()["Account"] == "000000000000"
        assert f"Credential={load_keys(home).access_key}/" in listener.seen[-1][1]
        assert repr(active).startswith(f"Sagehound active: {listener.url}, account 000000000000, region us-west-2")
        assert not active.started
    finally:
        deactivate()
    assert dict(os.environ) == before
    assert str(DROPIN) not in sys.path
    assert boto3.client("sts").meta.endpoint_url.endswith("amazonaws.com")
    boto3.DEFAULT_SESSION = None


def test_after_activate_smdebug_is_ours_whatever_was_imported_before(home, tmp_path):
    (tmp_path / "smdebug").mkdir()
    (tmp_path / "smdebug/__init__.py").write_text("__version__ = 'another'\n")
    code = f"""
import sys, sagehound, smdebug
print(smdebug.__version__)
sagehound.activate({str(home)!r})
from smdebug.trials import create_trial
import smdebug
print(smdebug.__version__, create_trial.__module__)
"""
    assert python(code, {"PYTHONPATH": str(tmp_path)}).split("\n") == [
        "another",
        "1.0.34+sagehound sagehound.debug.create_trial",
    ]


def test_activate_twice_is_undone_whole(home, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    activate(home)
    activate(home)
    deactivate()
    deactivate()
    assert os.environ["AWS_REGION"] == "eu-west-1"


def test_activate_that_fails_changes_nothing(tmp_path, monkeypatch):
    file = tmp_path / "not-a-folder"
    file.touch()
    before = dict(os.environ)
    with pytest.raises(InvalidInput, match="cannot be the service's home"):
        activate(file)
    assert dict(os.environ) == before


def test_importing_sagehound_loads_nothing_else():
    code = "import sys, sagehound; print(sorted(m for m in sys.modules if m.startswith(('sagehound.', 'boto'))))"
    assert python(code, {"PYTHONPATH": str(Path(sagehound.__file__).parents[1])}) == "[]"
    assert sagehound.activate is activate
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sagehound.nothing  # noqa: B018


def test_the_sdk_is_told_not_to_warn_of_its_successor_unless_the_user_says_otherwise(tmp_path):
    address = Address(endpoint="http://a", s3_endpoint="http://b", account="0" * 12, region="us-east-1", pid=1)
    name = "SAGEMAKER_SUPPRESS_V2_WARNING"
    said = [environment(address, KEYS, tmp_path, base)[name] for base in ({}, {name: "0"})]
    assert said == ["1", "0"]
