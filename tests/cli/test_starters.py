"""`sagehound new`."""

from sagehound.cli.starters import starter_files


def test_new_writes_the_files_and_overwrites_nothing(sagehound, tmp_path):
    folder = tmp_path / "mine"
    first = sagehound("new", folder)
    assert first.exit_code == 0
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(path.name for path in starter_files())
    assert {"hpo.py", "train_model.py", "inference.py", "train_and_deploy.ipynb"} <= set(names)
    assert first.stdout.splitlines() == [str(folder / name) for name in names]
    (folder / "hpo.py").write_text("mine")
    (folder / "inference.py").unlink()
    second = sagehound("new", folder)
    assert second.stdout.splitlines() == [str(folder / "inference.py")]
    assert (folder / "hpo.py").read_text() == "mine"
    assert "kept as they are: hpo.py" in second.stderr
