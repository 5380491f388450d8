"""Reads single figures out of Prometheus's text format."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families


def figure(text: bytes | str, sample: str, **labels: str) -> float:
    """The value of one sample, `tailrace_drain_` left out; 0 where it was never counted."""
    decoded = text.decode() if isinstance(text, bytes) else text
    for family in text_string_to_metric_families(decoded):
        for found in family.samples:
            if found.name == f"tailrace_drain_{sample}" and labels.items() <= found.labels.items():
                return float(found.value)
    return 0.0
