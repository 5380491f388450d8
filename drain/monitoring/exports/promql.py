"""Pieces of PromQL that rules and panels share.

Every figure that comes from Redis is the same whichever process of `web` was asked. Where several are
scraped, a sum would count it several times: so it is averaged over `instance`. Other labels, such as `job` or
one of your own, stay, so that installations do not mix.
"""

from __future__ import annotations

ACROSS = "without (instance, pod)"
"""`pod`: what most installations on Kubernetes add."""

Z = 3.3
"""Standard deviations: a share that is at the limit passes for one above it once in 2,000 times."""


def mean(expr: str) -> str:
    """A figure from Redis, once."""
    return f"avg {ACROSS} ({expr})"


def total(expr: str) -> str:
    """What each process of `web` counts itself, of all that are scraped."""
    return f"sum {ACROSS} ({expr})"


def selector(series: str, where: str = "") -> str:
    """`where`: matchers of labels, separated by commas."""
    return f"{series}{{{where}}}" if where else series


def rate(series: str, span: str, where: str = "") -> str:
    """Per second."""
    return f"rate({selector(series, where)}[{span}])"


def grown(series: str, span: str, where: str, was_scraped: str) -> str:
    """By how much a counter from Redis grew, if it did.

    A series begins when there is something to count, so its first value is no increase to Prometheus: it
    counts in full where it was not there a span ago, although `was_scraped` (a series) was.
    """
    found = selector(series, where)
    return (
        f"max {ACROSS} (\n  increase({found}[{span}]) > 0\n  or (\n    {found} > 0\n"
        f"    unless {found} offset {span}\n    and on (job, instance) {was_scraped} offset {span}\n  )\n)"
    )


def lower_bound(part: str, whole: str) -> str:
    """The share that is certain, however few there are: Wilson's lower bound, as in Tailrace's own alerts.

    `part` and `whole`: expressions of counts.
    """
    rest = f"clamp_min({whole} - {part}, 0)"
    spread = f"sqrt(\n    {part} * {rest}\n    / ({whole}) + {Z**2 / 4:g}\n  )"
    return f"(\n  {part} + {Z**2 / 2:g}\n  - {Z} * {spread}\n) / ({whole} + {Z**2:g})"
