"""Two minutes of the soak, with every kind of sender, every kind of kill and the failover."""

from __future__ import annotations

import pytest

from tests.soak.__main__ import soak

MINUTES = 2.0
SCRIPT_MS_MAX = 1_000.0
"""The soak's own limit is 100 ms, by the clock, on a machine of its own. Here other tests and their servers
run beside it and share two cores, of which a script may get a tenth."""


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_acknowledged_is_counted_through_kills_and_a_failover() -> None:
    assert soak(MINUTES * 60, 300, SCRIPT_MS_MAX) == []
