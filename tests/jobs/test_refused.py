"""A job on a machine whose kernel gives no mount namespaces: such a machine is made of a user namespace here."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_NO_NAMESPACES = 'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-sys_admin "$@"'
_SERVICE = """
import json, sys
from pathlib import Path
from sagehound.jobs.contract import launch
from sagehound.jobs.process import ProcessLauncher
from sagehound.testing.launcher_suite import ended, text
from tests.jobs.jobs import job, staged
script = '''
import json, os
open(os.path.join(os.environ["SM_MODEL_DIR"], "weights"), "w").write("w")
channel = os.path.join(os.environ["SM_CHANNEL_TRAINING"], "data.txt")
data = open(channel).read()
open(channel, "w").write("EVIL")
print(json.dumps([data, os.getcwd(), os.environ["SM_TRAINING_ENV"]]))
'''
ready = staged(Path(sys.argv[1]), {"train.py": script})
ProcessLauncher().start(launch(job(), ready))
end = ended(ProcessLauncher(), ready.folder)
print(json.dumps([end.code, end.reason, sorted(end.artifacts), text(ready.folder)]))
"""


def test_a_job_runs_in_its_real_folders_and_says_so(tmp_path):
    if not (shutil.which("unshare") and shutil.which("setpriv")):
        pytest.skip("unshare and setpriv (util-linux) make the machine that this needs")
    before = ["unshare", "--user", "--map-root-user", "sh", "-c", _NO_NAMESPACES, "sh"]
    if subprocess.run([*before, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may make no user namespace to take the right in")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(_ROOT)}
    command = [*before, sys.executable, "-c", _SERVICE, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", check=False)
    assert done.returncode == 0, done.stderr
    code, reason, artifacts, lines = json.loads(done.stdout)
    assert code == 0, reason
    assert artifacts == ["model"]
    assert len([line for line in lines if "gives the process no /opt/ml of its own" in line]) == 1
    folder = str(tmp_path / "job" / "algo-1")
    data, where, training_environment = json.loads(lines[-1])
    assert (data, where) == ("data", f"{folder}/code")
    assert (tmp_path / "channels" / "training" / "data.txt").read_text() == "data"
    assert json.loads(training_environment)["model_dir"] == f"{folder}/model"
