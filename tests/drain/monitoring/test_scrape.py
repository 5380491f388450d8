"""What /metrics gives: the same bytes from one version to the next."""

from __future__ import annotations

import redis
from prometheus_client.parser import text_string_to_metric_families

from tests.support.scraped import GOLDEN, fill_all, lasting, scrape


def test_a_scrape_is_byte_for_byte_that_of_the_version_before(redis_client: redis.Redis) -> None:
    fill_all(redis_client)
    assert lasting(scrape(redis_client)) == GOLDEN.read_text("utf-8")


def test_every_family_has_a_series_in_it() -> None:
    families = list(text_string_to_metric_families(GOLDEN.read_text("utf-8")))
    assert len(families) > 70
    assert [family.name for family in families if not family.samples] == []
