"""Which requests failed and which were aborted, by the line, whatever version counted the others."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.outcomes import aborted, added, by_names, failed, removed

Line = tuple[str, str, str]
"""Status, at, code."""


@pytest.mark.parametrize(
    ("line", "is_failed", "is_aborted"),
    [
        (("200", "info", ""), 0, 0),
        (("404", "info", ""), 0, 0),
        (("101", "info", ""), 0, 0),
        (("500", "info", ""), 1, 0),
        (("503", "error", "H12"), 1, 0),
        (("200", "error", "H18"), 1, 0),
        (("404", "error", "H18"), 1, 0),
        (("", "error", "H24"), 1, 0),
        (("101", "error", "H24"), 1, 0),
        (("417", "error", "H26"), 1, 0),
        (("421", "error", "H31"), 1, 0),
        (("502", "error", "H33"), 1, 0),
        (("200", "error", ""), 1, 0),
        (("503", "", ""), 1, 0),
        (("", "", ""), 0, 0),
        # The code alone says who is at fault only where the client is.
        (("200", "info", "H12"), 0, 0),
        (("499", "warning", "H27"), 0, 1),
        (("499", "warning", "H28"), 0, 1),
        (("499", "info", ""), 0, 1),
        (("499", "error", ""), 0, 1),
        (("499", "error", "H18"), 0, 1),
        (("", "warning", "H27"), 0, 1),
        (("200", "error", "H27"), 0, 1),
        (("503", "error", "H28"), 0, 1),
        # No status is no 5xx, whatever it begins with.
        (("5", "info", ""), 0, 0),
        (("5000", "info", ""), 0, 0),
        (("5xx", "info", ""), 0, 0),
    ],
)
def test_a_request_failed_or_was_aborted_or_neither(line: Line, is_failed: int, is_aborted: int) -> None:
    assert (failed(*line), aborted(*line)) == (is_failed, is_aborted)


def test_lines_of_a_usual_kind_need_no_correction() -> None:
    for line in (("200", "info", ""), ("500", "info", ""), ("503", "error", "H12"), ("421", "error", "H31")):
        assert (added(*line), removed(*line)) == (0, 0)


_lines = st.tuples(
    st.sampled_from(["200", "304", "404", "417", "421", "499", "500", "503", "101", "", "5"]),
    st.sampled_from(["info", "warning", "error", ""]),
    st.sampled_from(["", "H12", "H18", "H24", "H26", "H27", "H28", "H31"]),
)


@given(before=st.lists(_lines, max_size=20), now=st.lists(_lines, max_size=20))
def test_lines_of_both_versions_add_up_each_by_its_own_rule(before: list[Line], now: list[Line]) -> None:
    """Of lines that a version before has counted there are the numbers of each status and code alone."""
    every = before + now
    # A status that is none is stored as `(other)`.
    statuses = Counter(status if len(status) == 3 else "(other)" for status, _, _ in every if status)
    codes = Counter(code for _, _, code in every if code)
    found = by_names(statuses, codes) + sum(added(*line) - removed(*line) for line in now)
    old_rule = sum(
        (len(status) == 3 and status[0] == "5") + (code in ("H26", "H27", "H28", "H31"))
        for status, _, code in before
    )
    assert found == old_rule + sum(failed(*line) for line in now)
