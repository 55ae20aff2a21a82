"""Environments from a requirements.txt, with a wheel made here, as tests must not need a package index."""

import base64
import hashlib
import zipfile

import pytest

from sagehound.errors import JobFailure
from sagehound.jobs.contract import launch
from sagehound.jobs.environments import environment_folder, install, is_ready
from sagehound.jobs.lines import LineWriter
from sagehound.jobs.process import ProcessLauncher
from sagehound.testing.launcher_suite import ended, text
from tests.jobs.jobs import job, staged


def _wheel(folder, name="tinypackage", version="1.0", body="VALUE = 7\n"):
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": body,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = []
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for inner, content in files.items():
            wheel.writestr(inner, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()
            record.append(f"{inner},sha256={digest},{len(content)}")
        wheel.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,", ""]))
    return path


def _run(tmp_path, files, name="job"):
    ready = staged(tmp_path / name, files)
    ready = type(ready)(
        folder=ready.folder,
        hosts_channels=ready.hosts_channels,
        code=ready.code,
        environments_folder=tmp_path / "environments",
    )
    launcher = ProcessLauncher()
    launcher.start(launch(job(), ready))
    return ended(launcher, ready.folder), text(ready.folder)


def test_requirements_are_installed_once_for_two_jobs(tmp_path):
    wheel = _wheel(tmp_path / "wheels")
    files = {
        "requirements.txt": f"{wheel}\nnumpy\n",
        "train.py": "import tinypackage, torch, numpy; print('value', tinypackage.VALUE); print(tinypackage.__file__)",
    }
    end, first = _run(tmp_path, files, "one")
    assert end.code == 0, end.reason
    assert "value 7" in first
    assert first[-1].startswith(str(tmp_path / "environments"))
    assert any("Successfully installed tinypackage-1.0" in line for line in first)
    assert any("numpy" in line and "already satisfied" in line for line in first)
    end, second = _run(tmp_path, files, "two")
    assert end.code == 0
    assert "value 7" in second
    assert not any("Successfully installed" in line for line in second)


def test_what_cannot_be_installed_is_the_reason(tmp_path):
    files = {"requirements.txt": "./gone-1.0-py3-none-any.whl\n", "train.py": "print('ran')"}
    end, lines = _run(tmp_path, files)
    assert end.code != 0
    assert end.reason.startswith("AlgorithmError: InstallRequirementsError:")
    assert "gone-1.0" in end.reason
    assert "ran" not in lines
    assert not any(is_ready(folder) for folder in (tmp_path / "environments").iterdir() if folder.is_dir())


def test_a_changed_file_beside_the_requirements_is_another_content(tmp_path):
    (tmp_path / "code").mkdir()
    requirements = tmp_path / "code" / "requirements.txt"
    requirements.write_text("-r more.txt\n")
    (tmp_path / "code" / "more.txt").write_text("a\n")
    first = environment_folder(requirements, tmp_path)
    (tmp_path / "code" / "more.txt").write_text("b\n")
    assert environment_folder(requirements, tmp_path) != first


def test_an_endpoint_installs_in_its_own_process(tmp_path):
    wheel = _wheel(tmp_path / "wheels")
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"{wheel}\n")
    log = LineWriter(tmp_path / "algo-1.log")
    folder = install(requirements, tmp_path / "environments", log)
    assert is_ready(folder)
    assert install(requirements, tmp_path / "environments", log) == folder
    requirements.write_text("./nothing.whl\n")
    with pytest.raises(JobFailure, match="nothing"):
        install(requirements, tmp_path / "environments", log)
