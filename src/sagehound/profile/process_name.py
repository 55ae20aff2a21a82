"""Which process of which host writes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

_RESOURCES = Path("/opt/ml/input/config/resourceconfig.json")


@dataclass(frozen=True)
class ProcessName:
    """`node` is the host as a job calls it ("algo-1")."""

    node: str
    pid: int

    @classmethod
    def here(cls) -> ProcessName:
        """This process: a job says in its variables or its resources which host it runs on; elsewhere it is algo-1."""
        return cls(os.environ.get("SM_CURRENT_HOST") or _host_of_job() or "algo-1", os.getpid())

    def __str__(self) -> str:
        """As it stands in names of files, where an underscore ends it."""
        return f"{self.pid}-{self.node.replace('_', '-')}"


def _host_of_job() -> str:
    try:
        host = json.loads(_RESOURCES.read_bytes())["current_host"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return host if isinstance(host, str) else ""
