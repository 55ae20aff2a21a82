"""What the evaluators of a job's rules are asked: the documents that `sagehound.debug.evaluator` and
`sagehound.profile.evaluator` read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sagehound.jobs import contract, sampling
from sagehound.records.rules import DebugRule
from sagehound.records.training import TrainingJob


def debugger_request(
    job: TrainingJob, trial: str, rules: Sequence[DebugRule], sources: Mapping[str, Path]
) -> dict[str, Any]:
    """`trial` is where the tensors are; `sources` has the files of custom rules by the rule's name."""
    return {
        "trial": trial,
        "job": job.name,
        "rules": [
            {**_rule(rule), "source": str(sources[rule.name]) if rule.name in sources else None} for rule in rules
        ],
    }


def profiler_request(
    job: TrainingJob, folder: Path, profile: str, tensors: str, rules: Sequence[DebugRule], output: Path
) -> dict[str, Any]:
    """`folder` is the job's own, `profile` and `tensors` ("" for none) where those are, `output` where to write."""
    return {
        "profile": profile,
        "output": str(output),
        "job": job_facts(job, folder),
        "metrics": str(folder / "metrics.jsonl"),
        "tensors": tensors or None,
        "debugger_rules": str(folder / "rules" / "findings"),
        "rules": [_rule(rule) for rule in rules],
    }


def job_facts(job: TrainingJob, folder: Path) -> dict[str, Any]:
    """What the service knows of a job, as the profiler's `JobFacts` has it."""
    environment = _environment(folder)
    return {
        "name": job.name,
        "status": job.status,
        "instance_type": job.spec.instance_type,
        "hosts": contract.host_names(job.spec.instance_count),
        "created_s": job.created_at,
        "started_s": job.started_at,
        "ended_s": job.ended_at,
        "cores": os.cpu_count() or 0,
        "threads": int(environment.get("OMP_NUM_THREADS") or 0),
        "gpus": len([word for word in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if word]),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "interval_ms": job.spec.profiler_interval_ms or sampling.DEFAULT_INTERVAL_MS,
    }


def _environment(folder: Path) -> dict[str, str]:
    """The first host's, as it was started."""
    try:
        found: dict[str, str] = json.loads((folder / "launch.json").read_bytes())["hosts"][0]["environment"]
    except (OSError, ValueError, LookupError):
        return {}
    return found


def _rule(rule: DebugRule) -> dict[str, Any]:
    return {"name": rule.name, "rule": rule.invoked, "parameters": rule.parameters}
