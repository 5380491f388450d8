"""The moment at which these tests look."""

from __future__ import annotations

import time

import pytest


@pytest.fixture
def now_s() -> float:
    """Unix time, 4 s after a whole 10 s: the last whole window has just ended.

    It must be about now, for Redis expires windows by its own clock.
    """
    return time.time() // 10 * 10 + 4
