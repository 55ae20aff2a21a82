"""What this machine's processor can do."""

from __future__ import annotations

from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


def bfloat16(cpuinfo: Path = _CPUINFO) -> str:
    """Its fastest instructions for products in bfloat16: "amx_bf16", "avx512_bf16" or "none"; "" where the system does
    not tell."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return ""
    flags = next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), None)
    if flags is None:
        return ""
    return next((name for name in ("amx_bf16", "avx512_bf16") if name in flags), "none")
