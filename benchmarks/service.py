"""What the service itself costs: importing it, starting it, and leaving it alone.

Import is measured in fresh interpreters, in turn with one that imports nothing and one that imports only the
libraries below the service (Starlette, uvicorn, botocore's parsers, msgspec): the difference is ours. Idle memory
and CPU time are those of the service's process over 20 quiet seconds, the object store's beside it.

Learned: half of the import is asyncio, ssl and uvicorn. Optuna (50 MB), boto3 and NumPy are imported by what needs
them.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from sagehound import daemon

RUNS = 9
IDLE_S = 20.0
IMPORTS = {
    "nothing": "pass",
    "libraries": "import asyncio, uvicorn, starlette.applications, msgspec, botocore.model",
    "service": "import sagehound.service",
}


def import_seconds() -> dict[str, float]:
    """Median wall seconds of each import, the three taken in turn."""
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(RUNS):
        for name, code in IMPORTS.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in times.items()}


def idle(home: Path) -> dict[str, float]:
    """Resident MB and CPU percent of the service and of rclone, and the seconds of a detached start."""
    began = time.perf_counter()
    address = daemon.start(home, ["--port", "0"])
    started_s = time.perf_counter() - began
    try:
        processes = {
            "service": psutil.Process(address.pid),
            "rclone": psutil.Process(json.loads((home / "rclone.json").read_text())["pid"]),
        }
        before = {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}
        time.sleep(IDLE_S)
        found = {"start_s": started_s}
        for name, process in processes.items():
            found[f"{name}_mb"] = process.memory_info().rss / 1e6
            found[f"{name}_cpu_percent"] = 100 * (sum(process.cpu_times()[:2]) - before[name]) / IDLE_S
        return found
    finally:
        daemon.stop(home)


def main() -> None:
    imported = import_seconds()
    with tempfile.TemporaryDirectory() as folder:
        left_alone = idle(Path(folder))
    own = imported["service"] - imported["nothing"]
    print(f"{'import of':12} {'seconds':>8} {'less the interpreter':>21}")
    for name, seconds in imported.items():
        print(f"{name:12} {seconds:8.3f} {seconds - imported['nothing']:21.3f}")
    print(f"the service against its libraries: {own / (imported['libraries'] - imported['nothing']):.2f}")
    print(f"detached start until it answers: {left_alone['start_s']:.2f} s")
    for name in ("service", "rclone"):
        print(f"{name} idle: {left_alone[f'{name}_mb']:.0f} MB, {left_alone[f'{name}_cpu_percent']:.2f} % of a core")
    print(json.dumps({"import_s": imported, "import_own_s": own, **left_alone, "cores": os.cpu_count()}))


if __name__ == "__main__":
    main()
