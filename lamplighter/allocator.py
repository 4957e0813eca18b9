"""What becomes of memory that a process no longer needs, where the C library is glibc.

By itself glibc keeps ever larger pieces in its heap once one of them has been freed, and what is allocated behind them
holds them there: a process then stays as large as its busiest moment. With bounds of our own, large pieces are mapped
and given back one by one.
"""

import ctypes
import sys

MAPPED_FROM_BYTES = 512 * 1024
"""A larger piece is given back to the system when it is freed."""
FREE_TOP_BYTES = 1024 * 1024
"""Of what is free at the end of the heap, no more is kept."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def give_back_freed_memory() -> bool:
    """Set the bounds for this process; returns whether the C library knows them."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    mallopt = getattr(libc, "mallopt", None)
    if mallopt is None:
        return False
    bounds = (_M_MMAP_THRESHOLD, MAPPED_FROM_BYTES), (_M_TRIM_THRESHOLD, FREE_TOP_BYTES)
    return all(mallopt(name, value) == 1 for name, value in bounds)
