"""A user's notebook looks at the profile of a job, by the names of the original's library."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import sagehound
from sagehound.errors import NotFound
from sagehound.profile.notebook.training_job import TrainingJob
from tests.sdk.test_profiler import report_rule, seeds_config
from tests.sdk.test_training import ended, log_of
from tests.sdk.waiting import eventually

CELLS = [
    "from smdebug.profiler.analysis.notebook_utils.training_job import TrainingJob\n"
    "tj = TrainingJob({name!r}, 'us-east-1')\n"
    "tj.wait_for_sys_profiling_data_to_be_available()",
    "from smdebug.profiler.analysis.notebook_utils.timeline_charts import TimelineCharts\n"
    "system_metrics_reader = tj.get_systems_metrics_reader()\n"
    "tj.wait_for_framework_profiling_data_to_be_available()\n"
    "framework_metrics_reader = tj.get_framework_metrics_reader()\n"
    "system_metrics_reader.refresh_event_file_list()\n"
    "framework_metrics_reader.refresh_event_file_list()\n"
    "view_timeline_charts = TimelineCharts(system_metrics_reader, framework_metrics_reader,\n"
    "    select_dimensions=['CPU', 'GPU'], select_events=['total'])",
    "from smdebug.profiler.analysis.utils.profiler_data_to_pandas import PandasFrame\n"
    "frame = PandasFrame(tj.profiler_s3_output_path)\n"
    "print(len(frame.get_all_system_metrics()) > 0, len(frame.get_all_framework_metrics()) > 0)",
]


def outputs(cell: nbformat.NotebookNode) -> str:
    return "".join(str(each.get("text", "")) + str(each.get("data", "")) for each in cell["outputs"])


def test_the_cells_of_the_original_show_charts_and_frames(estimator, sm, monkeypatch):
    job = estimator("unhooked.py", rules=[report_rule()], profiler_config=seeds_config())
    job.fit(wait=False)
    name = job.latest_training_job.name
    assert eventually(lambda: ended(sm, name))["TrainingJobStatus"] == "Completed", log_of(name)
    folder = Path(sagehound.__file__).parent / "dropin"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell.replace("{name!r}", repr(name))) for cell in CELLS]
    )
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    first, charts, frames = map(outputs, notebook["cells"])
    assert "System metrics are available" in first
    assert "application/vnd.bokehjs_exec" in charts and "cdn.bokeh.org" not in charts
    assert "True True" in frames


def test_a_job_without_a_profile_is_told(estimator, sm):
    job = estimator("steps.py", disable_profiler=True)
    job.fit(wait=False)
    name = job.latest_training_job.name
    eventually(lambda: ended(sm, name))
    with pytest.raises(NotFound, match="has no profile"):
        TrainingJob(name, "us-east-1")


def test_a_job_without_a_timeline_is_told_when_it_is_over(estimator, sm):
    job = estimator("steps.py", hyperparameters={"pause": 1})
    job.fit(wait=False)
    name = job.latest_training_job.name
    training = TrainingJob(name, "us-east-1")
    training.wait_for_sys_profiling_data_to_be_available()
    assert training.get_systems_metrics_reader().get_events(0, 1e18)
    with pytest.raises(NotFound, match=r"is over .* left no framework metrics\. Ask for them with ProfilerConfig"):
        training.wait_for_framework_profiling_data_to_be_available()
