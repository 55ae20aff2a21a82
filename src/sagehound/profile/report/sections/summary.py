"""The job in a few lines."""

from __future__ import annotations

from sagehound.pages.markup import Child, Html
from sagehound.pages.pieces import note, section, table
from sagehound.pages.units import duration, moment, share
from sagehound.profile.report.material import Material


def summary(material: Material) -> Html:
    """Start, end, and what came before, in and after the training's loop."""
    job, course = material.profile.job, material.course
    whole = course.length_s
    rows: list[list[Child]] = [
        ["Created", moment(job.created_s), ""],
        ["Start", moment(job.started_s), ""],
        ["End", moment(job.ended_s) if job.ended_s is not None else "not ended when this was written", ""],
        ["Duration", duration(whole), share(whole, whole) if whole > 0 else ""],
    ]
    if course.loop is None:
        rows.append(["Training loop", "no steps were seen", ""])
    else:
        first, last = course.loop
        stages = (
            ("Initialisation", first - course.begin_s),
            ("Training loop", last - first),
            ("Finalisation", course.end_s - last),
        )
        rows += [[name, duration(seconds), share(seconds, whole)] for name, seconds in stages]
    facts: list[list[Child]] = [
        ["Status", job.status or "unknown"],
        ["Instance type", job.instance_type or "unknown"],
        ["Hosts", ", ".join(job.hosts)],
        ["Cores", f"{job.cores or 'unknown'}, of which {job.threads or 'unknown'} for the script"],
        ["GPUs", str(job.gpus)],
        ["Memory", f"{job.memory_bytes / 1e9:.1f} GB" if job.memory_bytes else "unknown"],
        ["Sampled every", f"{job.interval_ms} ms"],
        *_settings(material),
    ]
    return section(
        "summary",
        "The job",
        table("Times of the job", ("What", "Value", "Share"), rows, numbers=range(2, 3)),
        table("The machine and the settings of the training", ("What", "Value"), facts, numbers=range(0)),
        note(f"Steps of {course.workers} processes were seen.") if course.workers > 1 else None,
    )


def _fact(value: str | float) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _settings(material: Material) -> list[list[Child]]:
    return [
        [name.replace("_", " ").capitalize(), _fact(value)]
        for name, value in sorted(material.profile.job.facts.items())
    ]
