"""promtool's linter has nothing against a scrape."""

from __future__ import annotations

import redis

from tests.support.promtool import promtool
from tests.support.scraped import fill_all, scrape


def test_promtool_has_nothing_against_the_metrics(redis_client: redis.Redis) -> None:
    fill_all(redis_client)
    promtool("check", "metrics", text=scrape(redis_client))
