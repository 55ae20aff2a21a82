"""What `sagehound up` may be told."""

from pathlib import Path

import pytest

from sagehound.errors import InvalidInput
from sagehound.settings import Settings, default_home


def test_defaults(monkeypatch, tmp_path):
    monkeypatch.setenv("SAGEHOUND_HOME", str(tmp_path))
    settings = Settings()
    assert (settings.home, settings.account, settings.region) == (tmp_path, "000000000000", "us-east-1")
    assert (settings.host, settings.port) == ("127.0.0.1", 8383)
    assert {path.parent for path in (settings.s3_folder, settings.jobs_folder, settings.endpoints_folder)} == {tmp_path}


def test_without_a_variable_the_home_is_the_users(monkeypatch):
    monkeypatch.delenv("SAGEHOUND_HOME", raising=False)
    assert default_home() == Path.home() / ".sagehound"


@pytest.mark.parametrize("account", ["", "123", "12345678901x", "1234567890123", "１２３４５６７８９０１２"])
def test_an_account_is_twelve_digits(account):
    with pytest.raises(InvalidInput, match="12 digits"):
        Settings(account=account)


def test_host_slots():
    assert Settings(max_hosts=5).host_slots == 5
    assert Settings().host_slots >= 2


@pytest.mark.parametrize("wrong", [{"smtp": "mail.example.org"}, {"smtp": "http://x"}, {"webhook": "ftp://x/y"}])
def test_addresses_for_messages_are_checked(tmp_path, wrong):
    with pytest.raises(InvalidInput, match="write it like"):
        Settings(home=tmp_path, **wrong)
