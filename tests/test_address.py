"""Where the running service answers."""

import os
import subprocess
import sys

import pytest

from sagehound.address import Address, load_address
from sagehound.errors import ServiceUnavailable


def address(pid):
    return Address(
        endpoint="http://127.0.0.1:1", s3_endpoint="http://127.0.0.1:2", account="0" * 12, region="r", pid=pid
    )


def test_an_address_reads_back(tmp_path):
    address(os.getpid()).save(tmp_path)
    assert load_address(tmp_path) == address(os.getpid())
    assert [path.name for path in tmp_path.iterdir()] == ["service.json"]


def test_without_a_service_it_says_how_to_start_one(tmp_path):
    with pytest.raises(ServiceUnavailable, match="start one with: sagehound up --detach"):
        load_address(tmp_path)


def test_a_dead_service_is_none(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    address(process.pid).save(tmp_path)
    with pytest.raises(ServiceUnavailable, match="no service runs"):
        load_address(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}'])
def test_a_damaged_file_is_no_traceback(tmp_path, text):
    (tmp_path / "service.json").write_text(text)
    with pytest.raises(ServiceUnavailable, match=r"cannot be read.*sagehound up"):
        load_address(tmp_path)


def test_a_home_that_is_a_file(tmp_path):
    (tmp_path / "home").touch()
    with pytest.raises(ServiceUnavailable, match="Not a directory"):
        load_address(tmp_path / "home")
