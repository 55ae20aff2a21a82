"""The demo's words before it starts and after it ends; the whole of it runs in `make demo`."""

from __future__ import annotations

import pytest

from sagehound.cli import demo
from sagehound.errors import NotFound


def test_a_folder_without_classes_is_refused_before_anything_starts(tmp_path):
    with pytest.raises(NotFound, match="there is no folder"):
        demo.demo(data=tmp_path / "missing")
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(NotFound, match=r"CLASS/photo\.jpg"):
        demo.demo(data=tmp_path)


def test_what_to_type_next_names_a_picture_that_is_there(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.argv", [".venv/bin/sagehound", "demo"])
    picture = tmp_path / "train" / "a hat" / "1.PNG"
    picture.parent.mkdir(parents=True)
    picture.touch()
    demo._say_next("my-endpoint", tmp_path, demo._a_picture(tmp_path))
    assert f".venv/bin/sagehound predict my-endpoint '{picture}'" in capsys.readouterr().out
