"""Memory of a block is kept for the next one.

Blocks are some megabytes each, and as soon as one is done with, the C library gives its memory back to the kernel,
which clears every page before it gives it out again: a quarter of the loader's time for the first file of a process.
"""

from __future__ import annotations

import ctypes
from functools import cache

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3  # of mallopt(3)
KEPT, AHEAD, OF_ITS_OWN = 64 << 20, 8 << 20, 32 << 20  # the last one is the most that glibc takes


@cache
def keep_freed_memory() -> None:
    """Let this process keep up to 64 MB that it has freed; without glibc nothing is done."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is None:
        return
    for option, size in ((MMAP_THRESHOLD, OF_ITS_OWN), (TRIM_THRESHOLD, KEPT), (TOP_PAD, AHEAD)):
        set_option(option, size)
