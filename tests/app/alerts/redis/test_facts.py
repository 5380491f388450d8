"""The facts of a moment, from a real Redis that the metrics worker's own code filled."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
import redis

from app.alerts.facts import Facts, Stretch, Subject
from app.alerts.redis import choice, seen
from app.alerts.redis.facts import FactsReader
from app.alerts.rule import EACH
from app.platform.facts import Event, Fact
from app.store import keys
from app.store.sums import Sums
from servers.figures import SeenRequest, fill, fill_facts
from tests.app.alerts.redis.conftest import new_reader, report
from tests.app.alerts.rules import rule
from tests.support.platform_events import add, released
from tests.support.platform_facts import r14, samples, state

MINUTE, FIVE, HOUR = Stretch(60), Stretch(300), Stretch(3_600)
YESTERDAY = Stretch(86_400 + 3_600, 86_400)


def requests(app: str, times_s: Iterable[float], path: str = "/", status: str = "200") -> list[SeenRequest]:
    return [SeenRequest(at_s, path=path, app=app, status=status) for at_s in times_s]


def counted(facts: Facts, stretch: Stretch, app: str = "shop", path: str = "") -> tuple[int, int]:
    """(requests, errors)."""
    sums: Sums = facts.sums(Subject(app, path, keys.digest(path) if path else ""), stretch)
    return sums.requests, sums.errors


def test_each_stretch_has_the_requests_of_its_time(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float
) -> None:
    seen = requests("shop", range(at_s - 300, at_s)) + requests("shop", range(at_s - 60, at_s), status="500")
    seen += requests("shop", (at_s - 301, at_s - 2_000, at_s - 86_400 - 1_800, at_s + 1))
    fill(redis_client, seen, now_s)
    facts = reader.read([rule(MINUTE, FIVE, HOUR, YESTERDAY)], at_s, now_s)
    assert counted(facts, MINUTE) == (120, 60)
    assert counted(facts, FIVE) == (360, 60)
    assert counted(facts, HOUR) == (362, 60)
    assert counted(facts, YESTERDAY) == (1, 0)
    assert facts.apps == ("shop",)
    assert facts.incomplete == ""
    assert facts.last_s == {"shop": at_s}
    assert facts.first_s == {"shop": (at_s - 86_400 - 1_800) // 3_600 * 3_600}
    assert facts.sums(Subject("shop"), FIVE).service, "sketches are there"


def test_only_what_rules_ask_for_is_read(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float
) -> None:
    fill(redis_client, requests("shop", [at_s - 5], "/a") + requests("api", [at_s - 5], "/b"), now_s)
    assert reader.read([], at_s, now_s).rows == {}
    facts = reader.read([rule(FIVE, app="shop", route="/a", of_app=[HOUR])], at_s, now_s)
    assert {row: set(stretches) for row, stretches in facts.rows.items()} == {
        ("shop", keys.digest("/a")): {FIVE},
        ("shop", keys.ALL_ROUTES): {HOUR},
    }
    assert facts.routes == {"shop": {keys.digest("/a"): "/a"}}
    assert set(facts.apps) == {"shop", "api"}
    assert reader.read([rule(FIVE, scope="tailrace")], at_s, now_s).rows == {}


def test_a_pattern_asks_of_every_route_that_it_matches(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float
) -> None:
    paths = ["/users/:id", "/users/new", "/users/:id/posts", "/api/x/y"]
    fill(redis_client, [one for path in paths for one in requests("shop", [at_s - 5], path)], now_s)
    facts = reader.read([rule(FIVE, route="/users/:any"), rule(MINUTE, route="/api/*rest")], at_s, now_s)
    assert set(facts.routes["shop"].values()) == {"/users/:id", "/users/new", "/api/x/y"}
    assert counted(facts, FIVE, path="/users/new") == (1, 0)
    assert counted(facts, MINUTE, path="/users/new") == (0, 0)
    assert counted(facts, MINUTE, path="/api/x/y") == (1, 0)


def test_lines_that_come_late_count_in_the_last_minutes(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float
) -> None:
    rules = [rule(FIVE, HOUR)]
    fill(redis_client, requests("shop", [at_s - 200]), now_s)
    assert counted(reader.read(rules, at_s, now_s), FIVE) == (1, 0)
    fill(redis_client, requests("shop", [at_s - 200, at_s - 250]), now_s)
    assert counted(reader.read(rules, at_s, now_s), FIVE) == (3, 0)


@pytest.mark.parametrize("stretch", [HOUR, Stretch(900, 300)])
def test_stretches_that_are_long_or_over_are_read_again_within_two_minutes(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float, stretch: Stretch
) -> None:
    rules, at_s = [rule(stretch, YESTERDAY)], at_s - 600
    fill(redis_client, requests("shop", [at_s - 400]), now_s)
    assert counted(reader.read(rules, at_s, at_s + 4), stretch) == (1, 0)
    fill(redis_client, requests("shop", [at_s - 400]), now_s)
    found = [
        counted(reader.read(rules, at_s + 10 * step, at_s + 10 * step + 4), stretch) for step in range(13)
    ]
    assert found[-1] == (2, 0)
    assert found == sorted(found)


def test_requests_without_a_name_are_what_no_named_app_has(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float
) -> None:
    rules = [rule(FIVE, HOUR), rule(FIVE, route=EACH)]
    fill(redis_client, requests("", [at_s - 5] * 3, "/a"), now_s)
    alone = new_reader(redis_client).read(rules, at_s, now_s)
    assert (alone.apps, counted(alone, FIVE, ""), alone.last_s) == (("",), (3, 0), {"": at_s - 10})
    fill(redis_client, requests("shop", [at_s - 5] * 4, "/a", "500"), now_s)
    fill(redis_client, requests("shop", [at_s - 5] * 2, "/b"), now_s)
    facts = reader.read(rules, at_s, now_s)
    assert set(facts.apps) == {"", "shop"}
    for stretch in (FIVE, HOUR):
        assert counted(facts, stretch, "") == (3, 0)
        assert counted(facts, stretch, "shop") == (6, 4)
    assert counted(facts, FIVE, "", "/a") == (3, 0)
    assert counted(facts, FIVE, "shop", "/a") == (4, 4)
    assert counted(facts, FIVE, "", "/b") == (0, 0)
    assert "" not in facts.last_s, "nobody knows"


def test_the_busiest_routes_are_judged_and_those_that_are_watched(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "ROWS_MAX", 5)
    fill(
        redis_client,
        [one for at in range(20) for one in requests("shop", [at_s - 5] * (at + 1), f"/r{at}")],
        now_s,
    )
    each, pattern = rule(FIVE, route=EACH), rule(FIVE, route="/r1")
    watched = [Subject("shop", "/r0", keys.digest("/r0")), Subject("shop", "/gone", keys.digest("/gone"))]
    assert routes(reader.read([each], at_s, now_s)) == {"/r19", "/r18", "/r17", "/r16"}
    assert routes(reader.read([each], at_s, now_s, watched)) == {"/r0", "/r19", "/r18", "/r17"}
    assert routes(reader.read([each, pattern], at_s, now_s, watched)) == {"/r0", "/r1", "/r19", "/r18"}


def test_routes_of_apps_that_are_watched_or_named_are_read_before_those_of_busier_apps(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "CANDIDATES_MAX", 2)
    for path in ("/a", "/b"):
        fill(redis_client, requests("busy", [at_s - 5] * 9, path), now_s)
    fill(redis_client, requests("shop", [at_s - 5], "/c"), now_s)
    each, named = rule(FIVE, route=EACH), rule(FIVE, app="shop", route="/c")
    watched = [Subject("shop", "/c", keys.digest("/c"))]
    assert set(reader.read([each], at_s, now_s).routes) == {"busy"}
    assert set(reader.read([each], at_s, now_s, watched).routes) == {"shop"}
    assert set(reader.read([each, named], at_s, now_s).routes) == {"shop"}


def test_apps_without_a_request_for_a_week_give_way_and_those_that_a_rule_names_do_not(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "APPS_MAX", 1)
    fill(redis_client, requests("pr-1", [at_s - 8 * 86_400] * 50), now_s)
    fill(redis_client, requests("shop", [at_s - 5] * 2), now_s)
    assert reader.read([rule(FIVE)], at_s, now_s).apps == ("shop",)
    assert reader.read([rule(FIVE), rule(FIVE, app="pr-1")], at_s, now_s).apps == ("shop", "pr-1")


def test_apps_that_are_gone_keep_none_from_being_known(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "FIRST_AT_ONCE", 2)
    redis_client.hset(keys.APPS, mapping={"gone1": 900, "gone2": 900, "gone3": 900})
    fill(redis_client, requests("shop", [at_s - 5]), now_s)
    first_s = {"shop": (at_s - 5) // 3_600 * 3_600}
    assert reader.read([rule(FIVE)], at_s, now_s).first_s == {}
    for step in (1, 2, 6, 7, 8, 30):
        assert reader.read([rule(FIVE)], at_s + 10 * step, now_s + 10 * step).first_s == first_s


def test_routes_that_are_busy_now_take_the_place_of_those_that_were(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "ROWS_MAX", 2)
    fill(redis_client, requests("shop", [at_s - 5] * 100, "/old"), now_s)
    fill(redis_client, requests("shop", [at_s - 5] * 10, "/new"), now_s)
    each = [rule(FIVE, route=EACH)]
    assert routes(reader.read(each, at_s, now_s)) == {"/old"}
    fill(redis_client, requests("shop", [at_s - 5] * 10, "/new"), now_s)
    assert routes(reader.read(each, at_s + 10, now_s + 10)) == {"/old"}, "chosen once a minute"
    assert routes(reader.read(each, at_s + 60, now_s + 60)) == {"/new"}


def routes(facts: Facts) -> set[str]:
    return set(facts.routes["shop"].values())


def test_of_the_past_figures_are_as_they_were_as_far_as_they_are_kept(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float
) -> None:
    past_s = at_s // 60 * 60 - 7_200
    fill(redis_client, requests("shop", range(past_s - 300, past_s, 2), status="500"), now_s)
    fill(redis_client, requests("shop", range(at_s - 50, at_s)), now_s)
    fill(redis_client, requests("shop", [at_s - 3 * 86_400]), now_s)
    rules = [rule(MINUTE, FIVE, HOUR, kinds=["dynos", "releases", "comparisons"])]
    for moment_s in (past_s, past_s + 60, past_s + 600):
        facts = reader.read(rules, moment_s, now_s)
        left = max(0, 150 - (moment_s - past_s) // 2)
        assert counted(facts, FIVE) == (left, left)
        assert (facts.is_past, facts.health, facts.dynos, facts.incomplete) == (True, (), {}, "")
        assert facts.last_s == {"shop": past_s - 60}
    assert counted(reader.read(rules, past_s, now_s), HOUR) == (150, 150)
    assert counted(reader.read(rules, at_s, now_s), FIVE) == (50, 0)
    older = reader.read(rules, at_s - 3 * 86_400 + 7_200, now_s)
    assert older.incomplete == "figures of that time are kept only by the hour"
    assert older.sums(Subject("shop"), FIVE).requests == 0
    assert older.last_s["shop"] == (at_s - 3 * 86_400) // 3_600 * 3_600


def test_what_came_later_in_the_same_hour_was_not_there_at_a_moment_of_the_past(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float
) -> None:
    past_s = at_s // 3_600 * 3_600 - 7_200 + 1_800
    fill(redis_client, requests("new", range(past_s + 120, past_s + 240)), now_s)
    fill(redis_client, requests("back", [past_s - 9_000, *range(past_s + 120, past_s + 240)]), now_s)
    rules = [rule(MINUTE, app="new"), rule(MINUTE, app="back")]
    assert reader.read(rules, past_s, now_s).last_s == {"back": (past_s - 9_000) // 3_600 * 3_600}
    assert reader.read(rules, past_s + 600, now_s).last_s == {"new": past_s + 180, "back": past_s + 180}


def test_a_few_minutes_ago_are_exact(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float
) -> None:
    fill(redis_client, requests("shop", range(at_s - 900, at_s)), now_s)
    fill(redis_client, requests("shop", range(at_s - 500, at_s - 470), status="500"), now_s)
    facts = reader.read([rule(MINUTE, FIVE)], at_s - 470, now_s)
    assert (counted(facts, MINUTE), counted(facts, FIVE)) == ((90, 30), (330, 30))
    assert facts.is_past


@pytest.mark.parametrize(
    ("workers", "why"),
    [
        ([("w1", 1.0, 0.0, False)], ""),
        ([("w1", 1.0, 29.0, False)], ""),
        ([("w1", 1.0, 42.0, False)], "metrics is 42 s behind"),
        ([("w1", 1.0, 0.0, False), ("w2", 1.0, 42.0, False)], "metrics is 42 s behind"),
        ([("w1", 1.0, 0.0, True)], "metrics cannot reach the message log"),
        ([("w1", 1.0, 0.0, True), ("w2", 1.0, 0.0, False)], ""),
        ([("w1", 300.0, 0.0, False)], "no metrics worker is running"),
        ([], "no metrics worker is running"),
        ([("w1", 1.0, 0.0, False), ("w2", 20.0, 0.0, False)], "a metrics worker has not reported for 20 s"),
        ([("w1", 1.0, 0.0, False), ("w2", 300.0, 0.0, False)], ""),
    ],
)
def test_figures_are_incomplete_while_workers_are_behind_or_gone(
    redis_client: redis.Redis,
    at_s: int,
    now_s: float,
    workers: list[tuple[str, float, float, bool]],
    why: str,
) -> None:
    for id, ago_s, lag_s, waits in workers:
        report(redis_client, now_s - ago_s, id, lag_s, waits)
    facts = new_reader(redis_client).read([rule(FIVE)], at_s, now_s)
    assert facts.incomplete == why
    assert facts.lag_s == max((int(lag_s) for _, ago_s, lag_s, _ in workers if ago_s < 60), default=0)
    codes = {alert.code.partition(":")[0] for alert in facts.health}
    assert ("lag" in codes, "no_worker" in codes, "waiting" in codes) == (
        "behind" in why,
        "running" in why,
        "reach" in why,
    )


def test_dynos_have_their_memory_and_what_happened_to_them(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float
) -> None:
    def measured(dyno: str, from_s: float, mb: float) -> list[Fact]:
        return [
            samples(dyno, at_s - ago, memory_total=mb, memory_quota=512) for ago in range(0, int(from_s), 20)
        ]

    facts = measured("web.1", 3_000, 256) + measured("web.2", 240, 768)
    facts += [samples("web.2", at_s - ago, memory_total=100, memory_quota=512) for ago in range(480, 900, 20)]
    facts += [r14("web.2", at_s - ago) for ago in (20, 40, 60, 5_000)]
    facts += [Event("error", (at_s - 30) * 1000, "Error R10 (Boot timeout)", dyno="web.3", code="R10")]
    facts += [state("web.3", at_s - 25, "crashed"), state("web.4", at_s - 7_200, "down")]
    facts += measured("run.1234", 300, 100)
    fill_facts(redis_client, "shop", facts, now_s)
    fill(redis_client, requests("shop", [at_s - 5]), now_s)
    (one, two, three) = reader.read([rule(kinds=["dynos"])], at_s, now_s).dynos["shop"]
    assert (one.name, one.memory_share, one.events) == ("web.1", 0.5, {})
    assert (two.name, two.memory_share, two.events) == ("web.2", 1.5, {"R14": 3})
    assert (three.name, three.memory_share, three.events) == ("web.3", None, {"R10": 1, "crashed": 1})
    assert reader.read([rule(FIVE)], at_s, now_s).dynos == {}


def test_the_latest_release_is_known_and_how_it_compares(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float
) -> None:
    # Each second before and after, of which after the release a fifth fails.
    came_s = at_s - 1_500
    before = requests("shop", range(came_s - 900, came_s))
    after = requests("shop", range(came_s, at_s)) + requests("shop", range(came_s + 1, at_s, 4), status="500")
    fill(redis_client, [*before, *after], now_s)
    add(redis_client, {"shop": [released(came_s * 1000, 42), released((came_s - 7_200) * 1000, 41)]}, now_s)
    rules = [rule(FIVE, kinds=["releases", "comparisons"])]
    facts = reader.read(rules, at_s, now_s)
    assert facts.releases["shop"].version == 42
    compared = facts.comparisons["shop"]
    assert compared.release is not None
    assert (compared.release.version, compared.total and compared.total.word) == (42, "worse")
    assert reader.read([rule(FIVE, kinds=["releases"])], at_s, now_s).comparisons == {}
    past = reader.read(rules, came_s - 60, now_s)
    assert (past.releases["shop"].version, past.comparisons) == (41, {})


def test_an_old_release_is_not_compared(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float
) -> None:
    fill(redis_client, requests("shop", range(at_s - 100, at_s)), now_s)
    add(redis_client, {"shop": [released((at_s - 3_700) * 1000, 42)]}, now_s)
    facts = reader.read([rule(FIVE, kinds=["comparisons"])], at_s, now_s)
    assert (set(facts.releases), facts.comparisons) == ({"shop"}, {})


def test_another_programs_keys_are_passed_over(
    redis_client: redis.Redis, reader: FactsReader, at_s: int, now_s: float
) -> None:
    fill(redis_client, requests("shop", [at_s - 5], "/a"), now_s)
    name, number = keys.chunk(10, at_s - 10)
    redis_client.hset(keys.windows("shop", keys.digest("/a")) + name, str(number), "no window")
    for length_s in (60, 3_600):
        redis_client.set(keys.windows("shop", keys.digest("/a")) + keys.chunk(length_s, at_s - 10)[0], "x")
    facts = reader.read([rule(MINUTE, FIVE, HOUR, route=EACH), rule(FIVE)], at_s, now_s)
    assert counted(facts, MINUTE, path="/a") == (0, 0)
    assert counted(facts, FIVE) == (1, 0)
