"""How often a message held a worker: counted for each group, bounded, and not for ever."""

from __future__ import annotations

import redis

from app.store.keys import poison_counts as poison_counts_key
from app.store.poison import KEPT_S, NAMES_MAX, count_failure, forget_failures, poison_keys


def test_the_second_time_it_is_poison_for_that_group(redis_client: redis.Redis) -> None:
    count_failure(redis_client, "metrics", "f.0")
    assert poison_keys(redis_client, "metrics") == frozenset()
    count_failure(redis_client, "metrics", "f.0")
    assert poison_keys(redis_client, "metrics") == {"f.0"}
    assert poison_keys(redis_client, "replay") == frozenset()
    forget_failures(redis_client, "metrics", ["f.0"])
    assert poison_keys(redis_client, "metrics") == frozenset()


def test_it_takes_no_more_than_so_many_names_for_so_long(redis_client: redis.Redis) -> None:
    for number in range(NAMES_MAX + 5):
        count_failure(redis_client, "metrics", f"f.{number}")
    assert redis_client.hlen(poison_counts_key("metrics")) == 5
    assert KEPT_S - 60 < int(str(redis_client.ttl(poison_counts_key("metrics")))) <= KEPT_S
