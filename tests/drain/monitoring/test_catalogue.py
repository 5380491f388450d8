"""The catalogue is what /metrics gives: each family once, with its kind, help and labels."""

from __future__ import annotations

from collections import Counter

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from drain.monitoring.catalogue import FAMILIES
from tests.support.scraped import GOLDEN

ADDED = {"le"}
"""The label that a histogram has beside its own."""


def scraped() -> dict[str, Metric]:
    """Name -> family; without when prometheus_client began to count."""
    families = text_string_to_metric_families(GOLDEN.read_text("utf-8"))
    return {family.name: family for family in families if not family.name.endswith("_created")}


def test_no_name_is_declared_twice() -> None:
    names = Counter(name for family in FAMILIES for name in family.series)
    assert [name for name, count in names.items() if count > 1] == []


def test_a_scrape_has_every_family_of_the_catalogue_and_no_other() -> None:
    declared = [(family.name, family.kind, family.help) for family in FAMILIES]
    found = [(family.name, family.type, family.documentation) for family in scraped().values()]
    assert sorted(found) == sorted(declared)


def test_each_series_has_the_labels_that_are_declared() -> None:
    found = scraped()
    for family in FAMILIES:
        labels = {frozenset(sample.labels) - ADDED for sample in found[family.name].samples}
        assert labels == {frozenset(family.labels)}, family.name
        assert {sample.name for sample in found[family.name].samples} == set(family.series)


def test_units_are_those_that_the_names_say() -> None:
    units = {family.name: family.unit for family in FAMILIES}
    assert units["tailrace_app_service_seconds"] == "seconds"
    assert units["tailrace_release_timestamp_seconds"] == "timestamp"
    assert units["tailrace_dyno_memory_bytes"] == units["tailrace_route_bytes"] == "bytes"
    assert units["tailrace_app_requests"] == ""
