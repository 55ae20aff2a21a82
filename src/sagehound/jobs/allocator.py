"""How the C allocator is set for jobs, so that a training step keeps the buffers of the step before.

By default glibc maps every large buffer from the kernel and unmaps it when it is freed: each step of a training loop
takes its activations anew, page fault by page fault, and the kernel clears every page. Kept in the process instead,
the same script runs about twice as fast on a CPU. `benchmarks/allocator.py` has the figures.
"""

from __future__ import annotations

import os

#: Large enough to hold the activations of a batch, small enough to give back what a data set took while it was read.
_TRIM_BYTES = 16 * 1024**3
_PAD_BYTES = 256 * 1024**2

NOTE = (
    "sagehound: MALLOC_* are set so that memory freed by a step is kept for the next one (faster on a CPU, "
    "takes more memory); switch it off with: sagehound up --no-fast-malloc"
)


def is_glibc() -> bool:
    """Whether the C library takes these settings: others ignore them."""
    try:
        return bool(os.confstr("CS_GNU_LIBC_VERSION"))
    except (AttributeError, ValueError, OSError):
        return False


def variables() -> dict[str, str]:
    """Environment variables that make glibc's allocator keep freed memory; none where the C library is another."""
    if not is_glibc():
        return {}
    return {
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TRIM_THRESHOLD_": str(_TRIM_BYTES),
        "MALLOC_TOP_PAD_": str(_PAD_BYTES),
    }
