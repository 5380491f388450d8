"""What a family of metrics is. Each is declared once, in families/: /metrics, the rules and the dashboard
take its name from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

Kind = Literal["counter", "gauge", "histogram"]
Unit = Literal["", "seconds", "bytes", "timestamp"]


@dataclass(frozen=True, slots=True)
class Family:
    """Series of one name and meaning."""

    name: str
    """That of a counter without `_total`."""
    help: str
    labels: tuple[str, ...] = ()

    kind: ClassVar[Kind]

    @property
    def unit(self) -> Unit:
        """What its values are in; empty: a number of something."""
        if self.name.endswith("_timestamp_seconds"):
            return "timestamp"
        if self.name.endswith("_seconds"):
            return "seconds"
        return "bytes" if self.name.endswith("_bytes") else ""

    @property
    def series(self) -> tuple[str, ...]:
        """The names of its series."""
        return (self.name,)


@dataclass(frozen=True, slots=True)
class CounterFamily(Family):
    """Counts that never fall."""

    kind: ClassVar[Kind] = "counter"

    @property
    def total(self) -> str:
        """Its series."""
        return f"{self.name}_total"

    @property
    def series(self) -> tuple[str, ...]:
        return (self.total,)

    def metric(self) -> CounterMetricFamily:
        """The family of one scrape, without a series yet."""
        return CounterMetricFamily(self.name, self.help, labels=self.labels)


@dataclass(frozen=True, slots=True)
class GaugeFamily(Family):
    """What is so now."""

    kind: ClassVar[Kind] = "gauge"

    def metric(self) -> GaugeMetricFamily:
        """The family of one scrape, without a series yet."""
        return GaugeMetricFamily(self.name, self.help, labels=self.labels)


@dataclass(frozen=True, slots=True)
class HistogramFamily(Family):
    """How many values were at most each edge; all its counts never fall."""

    kind: ClassVar[Kind] = "histogram"

    @property
    def bucket(self) -> str:
        """Its series by edge, which is the label `le`."""
        return f"{self.name}_bucket"

    @property
    def series(self) -> tuple[str, ...]:
        return (self.bucket, f"{self.name}_sum", f"{self.name}_count")

    def metric(self) -> HistogramMetricFamily:
        """The family of one scrape, without a series yet."""
        return HistogramMetricFamily(self.name, self.help, labels=self.labels)
