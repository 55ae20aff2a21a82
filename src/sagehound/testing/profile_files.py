"""Writes a profile as the files that it would have been read from."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from itertools import groupby
from pathlib import Path
from typing import Any

from sagehound.profile.profile import Profile
from sagehound.profile.trace_format import DETAILED_FOLDER, EVENTS_FOLDER, PHASES, STEPS, SUFFIX, WINDOW_ROW, rows

#: What a dimension's lines have as their type, by the first letters of the dimension.
_KINDS = {"CPU": "cpu", "GPU": "gpu", "Memory": "memory", "I/O": "io", "Network": "network", "Disk": "disk"}


def write_profile(profile: Profile, folder: Path) -> Path:
    """System samples, timeline, facts and the job's metrics.jsonl under `folder`, one file a minute and node.

    The answer is the folder that `read_profile` takes: `folder / "profiler-output"`.
    """
    output = folder / "profiler-output"
    _write_system(profile, output / "system" / "incremental")
    _write_timeline(profile, output / EVENTS_FOLDER)
    if profile.job.facts:
        for node in profile.job.hosts[:1]:
            facts = {"node": node, "pid": 100, **profile.job.facts}
            _text(output / "framework" / f"facts_100-{node}.json", json.dumps(facts))
    for node, own in groupby(profile.operators.to_pylist(), key=lambda row: row["node"]):
        summary = {
            "node": node,
            "pid": 100,
            "operators": [{k: v for k, v in row.items() if k != "node"} for row in own],
        }
        folder_of = output / DETAILED_FOLDER / "2023111422" / "0"
        _text(folder_of / f"100-{node}.operators.json", json.dumps(summary))
    curves = (
        {"name": row["name"], "value": row["value"], "at": row["timestamp_s"]} for row in profile.curves.to_pylist()
    )
    _text(folder / "metrics.jsonl", "".join(f"{json.dumps(row)}\n" for row in curves))
    return output


def _write_system(profile: Profile, folder: Path) -> None:
    lines: dict[tuple[int, str], list[str]] = defaultdict(list)
    for row in profile.system.to_pylist():
        kind = next((kind for begin, kind in _KINDS.items() if row["dimension"].startswith(begin)), "platform")
        line = {"Type": kind, "Name": row["name"], "Dimension": row["dimension"], "Value": row["value"]}
        line |= {"NodeId": row["node"], "Timestamp": row["timestamp_s"]}
        lines[int(row["timestamp_s"]) // 60 * 60, row["node"]].append(json.dumps(line, separators=(",", ":")))
    for (minute_s, node), own in lines.items():
        day = time.strftime("%Y%m%d%H%M", time.gmtime(minute_s))
        _text(folder / day / f"{minute_s}.{node}.json", "\n".join(own) + "\n")


def _write_timeline(profile: Profile, folder: Path) -> None:
    files: dict[tuple[int, str, int], list[dict[str, Any]]] = defaultdict(list)
    for row in profile.timeline.to_pylist():
        files[int(row["start_s"]) // 60 * 60, row["node"], row["pid"]].append(row)
    for (minute_s, node, pid), own in files.items():
        records = [*_head(minute_s, node, pid), *(_record(row, minute_s) for row in own)]
        end_us = round(max(row["start_s"] + row["duration_s"] for row in own) * 1e6)
        hour = time.strftime("%Y%m%d%H", time.gmtime(end_us / 1e6))
        body = ",\n".join(json.dumps(record) for record in records)
        _text(folder / hour / f"{end_us}_{pid}-{node}{SUFFIX}", f"[\n{body}\n]\n")


def _head(start_s: int, node: str, pid: int) -> list[dict[str, Any]]:
    first = {"name": f"{node} {pid}", "start_time_since_epoch_in_micros": start_s * 1_000_000}
    named = [(0, first), *((row, {"name": name}) for row, name in rows())]
    return [{"name": "process_name", "ph": "M", "pid": row, "tid": 0, "args": args} for row, args in named]


def _record(row: dict[str, Any], start_s: int) -> dict[str, Any]:
    at = {"step": STEPS.get(row["mode"]), "phase": PHASES.get(row["name"])}.get(row["category"]) or WINDOW_ROW
    return {
        "name": at[1] if row["category"] == "step" else row["name"],
        "cat": row["category"],
        "ph": "X",
        "pid": at[0],
        "tid": 1,
        "ts": round((row["start_s"] - start_s) * 1e6),
        "dur": round(row["duration_s"] * 1e6),
        "args": {"pid": row["pid"], "step_num": str(row["step"]), "mode": row["mode"]},
    }


def _text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
