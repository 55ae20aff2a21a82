"""A process's own /opt/ml: as the user who runs the tests, as an ordinary user, and where the kernel refuses."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sagehound.jobs.enclosure import copy_binds, degrade, real_path

_SOURCE = Path(__file__).parents[2] / "src"
_LOOK = (
    "cat /opt/ml/mine /opt/ml/input/data/train/photo; touch /opt/ml/input/data/train/x; getent hosts algo-2; hostname"
)


@pytest.fixture
def spec(tmp_path):
    """An enclosure's folder with a channel, readable by anyone; the path of its SPEC.json."""
    (tmp_path / "ml").mkdir()
    (tmp_path / "ml" / "mine").write_text("mine\n")
    (tmp_path / "channel").mkdir()
    (tmp_path / "channel" / "photo").write_text("photo\n")
    path = tmp_path / "spec.json"
    path.write_text(
        json.dumps(
            {
                "folder": str(tmp_path / "ml"),
                "binds": [{"source": str(tmp_path / "channel"), "target": "input/data/train"}],
                "hosts": ["algo-1", "algo-2"],
                "hostname": "algo-1",
            }
        )
    )
    return path


def _enter(spec, command, python=sys.executable, before=()):
    words = [*before, python, "-m", "sagehound.jobs.enclosure", spec, "--", "sh", "-c", command]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(_SOURCE), "WHERE": "/opt/ml/mine"}
    return subprocess.run(words, capture_output=True, text=True, env=environment, cwd="/", check=False)


def test_the_folder_is_opt_ml(spec):
    done = _enter(spec, _LOOK)
    if "no /opt/ml of its own" in done.stderr:
        pytest.skip(f"this machine makes no mount namespaces: {done.stderr}")
    assert done.stdout.split() == ["mine", "photo", "127.0.0.1", "algo-1", "algo-2", "algo-1"]
    assert "Read-only file system" in done.stderr
    assert not (spec.parent / "channel" / "x").exists()


def _reachable_by_others(path):
    return all(parent.stat().st_mode & 0o001 for parent in [path, *path.parents])


def test_an_ordinary_user_has_one_too(spec):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can become an ordinary user for the test, by way of setpriv")
    pythons = [Path(name).resolve() for name in (sys.executable, "/usr/bin/python3") if Path(name).exists()]
    pythons = [python for python in pythons if _reachable_by_others(python)]
    if not pythons or not _reachable_by_others(_SOURCE):
        pytest.skip("an ordinary user of this machine reaches neither an interpreter nor the sources")
    for folder in (spec.parent, *spec.parent.parents):
        if folder.owner() == "root" and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o001)
    for path in (spec.parent, *spec.parent.rglob("*")):
        os.chown(path, 65534, 65534)
    before = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    done = _enter(spec, _LOOK + "; id -u; ls -A /opt", str(pythons[0]), before)
    if "no /opt/ml of its own" in done.stderr:
        pytest.skip(f"this machine makes no user namespaces: {done.stderr}")
    words = done.stdout.split()
    assert words[:7] == ["mine", "photo", "127.0.0.1", "algo-1", "algo-2", "algo-1", "65534"], done.stderr
    assert set(words[7:]) == {"ml", *(path.name for path in Path("/opt").iterdir())}


def test_where_the_kernel_refuses_paths_are_real_and_a_line_says_so(spec):
    document = json.loads(spec.read_text())
    document["folder"] = str(spec.parent / "ml")
    (spec.parent / "ml" / "input" / "data" / "train").mkdir(parents=True)
    # The kernel takes no longer name than 64 characters.
    document["hostname"] = "x" * 65
    spec.write_text(json.dumps(document))
    done = _enter(spec, 'cat "$WHERE" /opt/ml/input/data/train/photo; echo EVIL > /opt/ml/input/data/train/photo')
    assert done.stdout == "mine\nphoto\n"
    assert "gives the process no /opt/ml of its own" in done.stderr
    assert (spec.parent / "ml" / "input" / "data" / "train" / "photo").read_text() == "EVIL\n"
    assert (spec.parent / "channel" / "photo").read_text() == "photo\n"


def test_what_cannot_be_copied_is_named(tmp_path):
    bind = {"source": str(tmp_path / "gone"), "target": "input/data/train"}
    with pytest.raises(OSError, match=r"gone cannot be copied to .*input/data/train"):
        copy_binds({"folder": str(tmp_path), "binds": [bind]})


def test_only_the_mount_point_is_replaced():
    assert real_path("/opt/ml /opt/ml/model /opt/mlx '/opt/ml'", "/f") == "/f /f/model /opt/mlx '/f'"


def test_the_master_is_found_without_names(tmp_path):
    environment, argv = degrade(
        {"folder": str(tmp_path), "hosts": ["algo-1"]}, {"SM_MASTER_ADDR": "algo-1", "SM_HOSTS": '["algo-1"]'}, ["x"]
    )
    assert environment == {"SM_MASTER_ADDR": "127.0.0.1", "SM_HOSTS": '["algo-1"]'}
    assert argv == ["x"]
