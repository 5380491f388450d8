"""Compares two spans of an app: around a release, or any two."""

from __future__ import annotations

import redis

from app.comparison.result import Comparison
from app.store.queries.spans import Span

WINDOW_S = 900
"""The length of both spans, unless another is asked for."""


def compare_release(
    store: redis.Redis, app: str, version: int, now_s: float, window_s: int = WINDOW_S
) -> Comparison:
    """The span before a release against the one after its dynos were up; `version` 0: the latest."""
    return Comparison(app, refused="releases are not compared yet")


def compare_spans(store: redis.Redis, app: str, before: Span, after: Span, now_s: float) -> Comparison:
    """Any two spans, each with an end (Span.until_s)."""
    return Comparison(app, refused="spans are not compared yet")
