"""The whole page."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from sagehound.pages.frame import contents, document, footer, header
from sagehound.pages.live import scripts
from sagehound.pages.markup import element
from sagehound.pages.units import count, duration, moment
from sagehound.tuning.report.live import drawn
from sagehound.tuning.report.material import Material
from sagehound.tuning.report.sections.charts import curves, hyperparameters, importance, objective, parallel
from sagehound.tuning.report.sections.setup import setup
from sagehound.tuning.report.sections.trials import failures, stopped, trials
from sagehound.tuning.report.sections.verdict import verdict
from sagehound.tuning.report.study import Study

#: In the order in which they stand in the page, each with its word in the list of contents.
SECTIONS = (
    ("verdict", "Best", verdict),
    ("failures", "Failures", failures),
    ("objective", "Objective", objective),
    ("parallel", "All at once", parallel),
    ("each", "Each one", hyperparameters),
    ("importance", "Importance", importance),
    ("curves", "Curves", curves),
    ("stopped", "Stopped", stopped),
    ("trials", "Trials", trials),
    ("setup", "Settings", setup),
)


def page(study: Study) -> str:
    """The tuning job as one HTML document, which needs nothing else and fetches nothing."""
    material = Material(study)
    made = [(key, words, body) for key, words, make in SECTIONS if (body := make(material)) is not None]
    tried, started = count(len(study.trials), "trial"), f"started {moment(study.created_s)}"
    return document(
        f"{study.name}: tuning job",
        header("Tuning job", study.name, (study.status, tried, started, duration(study.length_s))),
        contents([(key, words) for key, words, _ in made]),
        element("main", [body for _, _, body in made]),
        footer(),
        scripts({plot.key: drawn(plot) for plot in material.plots}, own=_file("page.js")),
        style=_file("page.css"),
    )


def write_page(study: Study, path: Path) -> Path:
    """Write the page to `path`, whose folder is made; a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(page(study), encoding="utf-8", errors="replace")
    part.replace(path)
    return path


@cache
def _file(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
