"""The notebook of the starters, executed as a user does it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

from sagehound.cli.starters import starter_files
from tests.sdk.conftest import start_service

EXAMPLES = Path(__file__).parents[2] / "examples"
#: IPython runs this file of the user's profile when a kernel starts.
_IMPATIENT = """
import sagemaker.session
from tests.sdk.impatience import ImpatientTime
sagemaker.session.time = ImpatientTime()
"""


def test_the_examples_are_the_starters():
    assert {path.resolve() for path in EXAMPLES.iterdir()} == {path.resolve() for path in starter_files()}


def test_the_notebook_runs_from_end_to_end(own_home, tmp_path):
    # Its own: the SDK names tuning jobs by the minute, and other tests' may have the same.
    start_service(own_home)
    for source in starter_files():
        shutil.copy(source, tmp_path)
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "impatient.py").write_text(_IMPATIENT)
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "PYTHONPATH": str(EXAMPLES.parent),
    }
    done = subprocess.run(
        [sys.executable, "-m", "sagehound.cli", "run", "--home", own_home, "--", "train_and_deploy.ipynb"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    notebook = nbformat.read(tmp_path / "train_and_deploy.ipynb", as_version=4)
    outputs = {cell.source: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    (winner,) = outputs["np.argmax(response, 1)"]
    assert winner.data["text/plain"].startswith("array([")
    (table,) = outputs['tuner.analytics().dataframe().sort_values("FinalObjectiveValue")']
    assert table.data["text/plain"].count("Completed") == 4
    (report,) = tmp_path.glob("rule-output/ProfilerReport/profiler-output/profiler-report.html")
    assert "<html" in report.read_text()[:500]
