"""Warm starts by an ordinary user, and on a machine whose kernel gives no mount namespaces."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.jobs.test_refused import _NO_NAMESPACES

_SERVICE = """
import json, sys
from pathlib import Path
from sagehound.jobs.process import ProcessLauncher
from tests.jobs.warm_jobs import HEAD, a_job, seen, was_warm
folder, launcher = Path(sys.argv[1]), ProcessLauncher()
seen(launcher, a_job(folder / "first", HEAD))
assert launcher.warm.await_ready(60)
script = HEAD + '''
import os
print(os.getuid(), os.path.exists("/opt/ml/code/train.py"), os.getcwd())
open("../model/weights", "w").write("w")
1 / 0
'''
print(json.dumps([*seen(launcher, a_job(folder / "job", script)), was_warm(folder / "job")]))
launcher.warm.close()
"""
#: The user who runs the tests, by another number and without a right to anything.
_ORDINARY = ["unshare", "--user", "--map-user", "1000", "--map-group", "1000"]
_REFUSED = ["unshare", "--user", "--map-root-user", "sh", "-c", _NO_NAMESPACES, "sh"]


def _result(before, folder):
    if not all(map(shutil.which, ("unshare", "setpriv"))):
        pytest.skip("unshare and setpriv (util-linux) make the user and the machine that this needs")
    if subprocess.run([*before, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not become another, or make no user namespace")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2]), "HOME": "/nowhere"}
    command = [*before, sys.executable, "-c", _SERVICE, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_ordinary_users_jobs_start_warm(tmp_path):
    code, cause, reason, lines, warm = _result(_ORDINARY, tmp_path)
    assert (code, cause, warm) == (1, "exited", True)
    assert "ZeroDivisionError: division by zero\nat train.py, line 6" in reason
    assert lines[0] == "1000 True /opt/ml/code"


def test_where_the_kernel_refuses_jobs_start_warm_in_their_real_folders(tmp_path):
    code, cause, reason, lines, warm = _result(_REFUSED, tmp_path)
    assert (code, cause, warm) == (1, "exited", True)
    assert "at train.py, line 6" in reason
    assert "gives the process no /opt/ml of its own" in lines[0]
    assert lines[1].split()[1] == "False"
