"""A notebook that reads the same profile and draws the same charts."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from sagehound.profile.profile import Profile
from sagehound.profile.report.sections.traces import BESIDE

_READ = """\
from pathlib import Path

from sagehound.profile.profile import JobFacts
from sagehound.profile.profile_folder import read_profile

source = {source}
beside = Path({beside})
if beside.is_dir():
    source = beside
job = json.loads({job})
job["hosts"], job["problems"] = tuple(job["hosts"]), ()
profile = read_profile(source, JobFacts(**job))
profile.system.num_rows, profile.timeline.num_rows"""
_CHARTS = """\
from bokeh.io import output_notebook, show
from bokeh.layouts import column
from bokeh.resources import INLINE

from sagehound.profile.report.charts import charts
from sagehound.profile.report.course import course
from sagehound.profile.report.live import figures

output_notebook(INLINE, hide_banner=True)
went = course(profile)
drawn = charts(profile, went)
for chart in drawn:
    print(f"{chart.title}: {chart.in_words()}")
if drawn:
    show(column(figures(drawn), sizing_mode="stretch_width"))"""
_PARTS = """\
import pandas as pd

pd.DataFrame([{"part": part.label, "seconds": part.seconds} for part in went.parts])"""
_FRAMES = """\
steps = profile.timeline.to_pandas()
steps = steps[steps["category"] == "step"]
steps.groupby("mode", observed=True)["duration_s"].describe() if len(steps) else "no steps were seen\""""
_SYSTEM = """\
system = profile.system.to_pandas()
system.groupby(["node", "dimension", "name"], observed=True)["value"].describe() if len(system) else "not sampled\""""


def notebook(profile: Profile, source: str | None) -> str:
    """The notebook's text; `source` as for write_report."""
    job = asdict(profile.job) | {"problems": [], "facts": dict(profile.job.facts)}
    read = "import json\n" + _READ.format(source=repr(source or BESIDE), beside=repr(BESIDE), job=repr(json.dumps(job)))
    cells = [
        _text(
            "# Profiler report",
            "The charts and tables of `profiler-report.html`, to work on. Needs Sagehound; no network.",
        ),
        _code(read),
        _text("## Where the time went"),
        _code(_CHARTS),
        _code(_PARTS),
        _text("## Durations of steps, in seconds"),
        _code(_FRAMES),
        _text("## Use of the system"),
        _code(_SYSTEM),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    numbered = [{"id": f"cell{place}", **cell} for place, cell in enumerate(cells)]
    made = {"cells": numbered, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made, indent=1) + "\n"


def _text(*lines: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": "\n\n".join(lines)}


def _code(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
