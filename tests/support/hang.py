"""A defect in C code: whoever calls `hang` never comes back."""

from __future__ import annotations

import ctypes


def hang() -> None:
    """Waits for a lock that nobody gives back. The interpreter's lock is kept (of a PyDLL, not a CDLL), so
    that no handler of Python's runs; the processor is free for others."""
    c_library, lock = ctypes.PyDLL(None), ctypes.create_string_buffer(64)
    for _ in range(2):
        c_library.pthread_mutex_lock(lock)
