"""Keeps the C library from handing freed memory back to the kernel at every step of a network."""

from __future__ import annotations

import ctypes
import os
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # of <malloc.h>
_TWO_GIB_LESS_ONE = 2**31 - 1


def keep_freed() -> bool:
    """Tell glibc to keep freed buffers; true if it took it.

    A network frees and asks for the same large buffers all the time. By default each goes back to the kernel and
    comes again as zeroed pages, which took up to half of the time of EfficientNet-Lite0 in batches of 64. A job of
    Sagehound is set so from outside already (MALLOC_* in its environment), and then this leaves it alone.
    """
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl
        return False
    settings = ((_TRIM_THRESHOLD, _TWO_GIB_LESS_ONE), (_TOP_PAD, 64 * 1024 * 1024), (_MMAP_MAX, 0))
    return all(mallopt(name, value) == 1 for name, value in settings)
