"""How many connections a limit of open files allows for."""

from __future__ import annotations

import pytest

from drain.gunicorn.open_files import connections_within


@pytest.mark.parametrize(
    ("open_files", "connections"),
    [(16, 8), (48, 8), (49, 9), (64, 24), (1024, 984), (1040, 1000), (1_048_576, 1000)],
)
def test_some_files_are_left_for_what_is_no_connection(open_files: int, connections: int) -> None:
    assert connections_within(open_files) == connections
