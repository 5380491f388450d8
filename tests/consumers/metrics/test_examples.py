"""Lines without a path: counted, and one an hour kept as an example, so that somebody can look at it."""

from __future__ import annotations

import redis

from app.message import RouterMessage, decode
from app.routes import route_namer
from app.settings import Settings
from app.store import dead_letters, replies
from app.store.apply import apply
from app.store.claims import offsets_claim
from consumers.metrics.aggregate import EXAMPLE_EVERY_S, Aggregator
from tests.consumers.metrics.test_aggregate import NOW_S, EveryName, message

PATHLESS = [message("at=info method=GET status=200"), message('at=info path="?a=b" status=200')]
USUAL = message('at=info path="/a" status=200')
REASON = "a router line without a path (one an hour is kept, as an example)"


def test_one_line_without_a_path_is_kept_an_hour() -> None:
    aggregator = Aggregator(route_namer(Settings()), EveryName())

    def examples(batch: list[RouterMessage], now_s: int) -> list[RouterMessage]:
        changes = aggregator.changes(batch, now_s)
        assert changes.bad == []
        assert {example.reason for example in changes.examples} <= {REASON}
        return [decode(example.value) for example in changes.examples]

    assert examples([USUAL], NOW_S) == []
    assert examples([*PATHLESS, USUAL], NOW_S) == [PATHLESS[1]]
    assert examples(PATHLESS, NOW_S + EXAMPLE_EVERY_S - 1) == []
    assert examples(PATHLESS[:1], NOW_S + EXAMPLE_EVERY_S) == [PATHLESS[0]]
    assert examples([USUAL], NOW_S + 9_000) == []


def test_an_example_is_among_the_dead_letters_and_all_are_counted(redis_client: redis.Redis) -> None:
    changes = Aggregator(route_namer(Settings()), EveryName()).changes([*PATHLESS, USUAL], NOW_S)
    claim = offsets_claim("tailrace:positions:metrics", [(0, 0, 1, False)])
    apply(redis_client, "metrics", claim, changes, 500)
    (letter,) = dead_letters.read(redis_client)
    assert (letter.kind, letter.source, letter.reason) == ("message", "metrics", REASON)
    assert decode(letter.value) == PATHLESS[1]
    totals = replies.counts(redis_client.hgetall("tailrace:group:metrics"))
    assert totals == {"messages": 3, "without_path": 2}
