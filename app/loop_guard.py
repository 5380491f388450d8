"""The loop guard: requests that a replay sent are known by their id, wherever they are logged."""

from __future__ import annotations

REPLAYED = "replay-"


def is_replayed(request_id: str) -> bool:
    """True for the `request_id` of a line whose request came from a replay."""
    return request_id.startswith(REPLAYED)
