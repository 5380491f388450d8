"""What became of a request: it failed, its client aborted it, or neither. Pure.

- *failed*: its status is 5xx, or the router says `at=error`, whatever the status: H18 has the status that was
  already sent (seen: 200), H24 has none, H26 and H31 have 4xx (devcenter.heroku.com/articles/error-codes).
- *aborted*: the client went away before it had the whole answer: status 499, or the code H27 or H28. That
  is no failure of the app, even where the line says `at=error`: whoever closed the connection was the client.

No request is both. Whether one failed takes three columns of its line, so it is decided where the line is
counted, once a line. Versions before counted no failures: they derived them from how often each status and
each code came. `by_names` is that rule, and what such a version stored keeps its meaning. Lines that are
counted now are stored with what that rule misses (`added`) and what it finds too much (`removed`), both 0 for
nearly all lines. All of these are plain sums, so by_names + added - removed is right for any mix of old and
new: in one window, in totals, over windows, and while both versions are running.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.store.bounds import STATUS

ABORTED_STATUS = "499"
ABORTED_CODES = frozenset({"H27", "H28"})

CODES_BELOW_500 = frozenset({"H26", "H27", "H28", "H31"})
"""What versions before took for failures beside 5xx. It must not change: stored figures rest on it."""


def aborted(status: str, at: str, code: str) -> int:
    """1 for a line whose client went away."""
    return int(status == ABORTED_STATUS or code in ABORTED_CODES)


def failed(status: str, at: str, code: str) -> int:
    """1 for a line whose request failed."""
    return int((_is_5xx(status) or at == "error") and not aborted(status, at, code))


def added(status: str, at: str, code: str) -> int:
    """1 for a line that failed, and `by_names` finds nothing in its status and code."""
    return max(0, failed(status, at, code) - _found_by_name(status, code))


def removed(status: str, at: str, code: str) -> int:
    """How many failures `by_names` finds in a line's status and code beyond the one that it is, if it is."""
    return max(0, _found_by_name(status, code) - failed(status, at, code))


def by_names(statuses: Mapping[str, int], codes: Mapping[str, int]) -> int:
    """The failures that versions before saw: 5xx, and codes that come with a lower status."""
    of_statuses = sum(count for status, count in statuses.items() if status.startswith("5"))
    return of_statuses + sum(codes.get(code, 0) for code in CODES_BELOW_500)


def _found_by_name(status: str, code: str) -> int:
    return _is_5xx(status) + (code in CODES_BELOW_500)


def _is_5xx(status: str) -> bool:
    """As it is counted by name: anything but three digits is not."""
    return status.startswith("5") and STATUS.fullmatch(status) is not None
