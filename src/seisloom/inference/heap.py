"""Memory that has been freed, back to the system: what a process takes is then what it holds."""

from __future__ import annotations

import ctypes
from contextlib import suppress

M_ARENA_MAX = -8
"""Of mallopt, as in glibc's malloc.h."""


def tidy_heap() -> None:
    """Have glibc give freed memory back now, and keep one heap for all threads from now on; elsewhere do nothing.

    Each thread that reads or decompresses has a heap of its own otherwise, and blocks of up to 32 MB stay there when
    they are freed: some 200 MB for six threads, more on machines with more cores, and more for large volumes than for
    small ones (`benchmarks/apply_memory.py`). That threads share a heap costs nothing that could be measured: they ask
    for large blocks, and seldom. Like the number of threads of torch it is a setting of the whole process.
    """
    with suppress(AttributeError, OSError, TypeError):  # TypeError: Windows has no library without a name
        library = ctypes.CDLL(None)
        library.mallopt(M_ARENA_MAX, 1)
        library.malloc_trim(0)
