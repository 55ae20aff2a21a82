"""The access keys of a home."""

import re
import shutil
import stat

import pytest

from sagehound.errors import InvalidInput
from sagehound.keys import Keys, adopt_keys, load_keys


def test_keys_are_made_once_and_kept(tmp_path):
    keys = load_keys(tmp_path / "home")
    assert re.fullmatch("AKIA[A-Z2-7]{16}", keys.access_key)
    assert len(keys.secret_key) == 40
    assert load_keys(tmp_path / "home") == keys
    assert load_keys(tmp_path / "other") != keys


def test_keys_are_the_owners_alone(tmp_path):
    load_keys(tmp_path)
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    load_keys(tmp_path / "home")
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    shutil.rmtree(tmp_path / "home")
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


def test_an_object_store_of_the_users_own_decides(tmp_path):
    load_keys(tmp_path)
    theirs = Keys("AKIATHEIRS", "secret")
    assert adopt_keys(tmp_path, theirs) == load_keys(tmp_path) == theirs
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "garbage", "[]", '{"access_key": "a"}'])
def test_damaged_keys_are_left_and_said(tmp_path, text):
    (tmp_path / "keys.json").write_text(text)
    with pytest.raises(InvalidInput, match="holds no pair of keys"):
        load_keys(tmp_path)
    assert (tmp_path / "keys.json").read_text() == text
