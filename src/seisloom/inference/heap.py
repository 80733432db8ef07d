"""How a process asks the system for memory, and gives it back: what it takes is then what it holds."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

M_ARENA_MAX = -8
"""Of mallopt, as in glibc's malloc.h."""


def ask_for_huge_pages() -> None:
    """Have torch ask for pages of 2 MB where it takes 2 MB and more, if it has not taken any memory yet.

    What a network makes of a volume is taken anew at each layer and given back behind it; in pages of 4 kB that was
    two fifths of the time of a 128 x 128 x 128 tile. On training it has no influence: its tensors are smaller.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # of torch's CPU allocator; Linux alone knows it


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
