"""How Tailrace itself is, and what is said of it in plain words."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import get_args

import pytest
import redis

from app.alerts.redis.outbox import claim, delivered, due
from app.errors import NotDurable
from app.log import MessageLog, open_log
from app.log.redis.reader import RedisReader
from app.log.redis.stream import META, STREAM
from app.log.redis.writer import RedisWriter
from app.settings import Settings
from app.store import dead_letters, keys, queries
from app.store.frame_events import OTHER_DRAIN, Loss, Report, record_once
from app.store.sender_faults import KINDS, Kind, SenderKind, Tally
from app.store.workers import WorkerStatus, report_status
from servers.figures import SeenRequest, fill
from tests.support import alert_board
from tests.support import letters as kept_letters
from tests.support.sender_faults import record_faults

LOG = open_log(Settings(redis_log_max_mb=1))
ON_KAFKA = open_log(Settings(kafka_url="kafka://127.0.0.1:1"))


def health(store: redis.Redis, log: MessageLog = LOG, routes_max: int = 500) -> queries.Health:
    return queries.health(store, time.time(), log, routes_max=routes_max)


def alerts(found: queries.Health, log: MessageLog = LOG) -> list[queries.Alert]:
    return queries.alerts(found, log.advice)


def codes(store: redis.Redis) -> list[str]:
    return [alert.code for alert in alerts(health(store))]


def worker(
    group: str, *, ago_s: float = 1, lag: int = 0, lag_s: float = 0.0, number: int = 1
) -> WorkerStatus:
    return WorkerStatus(f"{group}.h.{number}", group, int((time.time() - ago_s) * 1000), lag, lag_s, True, 0)


def test_all_is_well_with_a_worker_and_nothing_lost(redis_client: redis.Redis) -> None:
    fill(redis_client, [SeenRequest(time.time())], time.time())
    report_status(redis_client, worker("metrics"))
    assert alerts(health(redis_client)) == []


def test_without_a_metrics_worker_the_figures_are_frozen(redis_client: redis.Redis) -> None:
    fill(redis_client, [SeenRequest(time.time())], time.time())
    (alert,) = alerts(health(redis_client))
    assert (alert.code, alert.severity) == ("no_worker:metrics", "alarm")
    assert "the figures are frozen" in alert.text
    assert "heroku ps:scale metrics=1" in alert.action


def test_a_worker_that_waits_for_the_log_is_not_said_to_be_missing(redis_client: redis.Redis) -> None:
    report_status(redis_client, replace(worker("metrics", lag=5, lag_s=400), waits=True))
    (alert,) = alerts(health(redis_client))
    assert (alert.code, alert.severity) == ("waiting:metrics", "alarm")
    assert alert.title == "metrics cannot reach the message log"
    assert alert.text.startswith(
        "1 worker is running, but the log is unreachable, so the figures are frozen."
    )
    report_status(redis_client, worker("metrics", number=2))
    assert codes(redis_client) == ["lag:metrics"]


def test_a_dead_worker_is_told_from_one_that_never_was(redis_client: redis.Redis) -> None:
    report_status(redis_client, worker("metrics", ago_s=120))
    (alert,) = alerts(health(redis_client))
    assert alert.text.startswith("No worker has reported for 2 min, so nothing is being counted.")


def test_replay_is_missed_only_once_it_has_been_seen(redis_client: redis.Redis) -> None:
    report_status(redis_client, worker("metrics"))
    assert codes(redis_client) == []
    report_status(redis_client, worker("replay", ago_s=60))
    assert codes(redis_client) == ["no_worker:replay"]


def test_a_worker_that_is_far_behind_is_a_warning(redis_client: redis.Redis) -> None:
    report_status(redis_client, worker("metrics", lag=120_345, lag_s=312))
    report_status(redis_client, worker("metrics", lag=120_345, lag_s=300, number=2))
    (alert,) = alerts(health(redis_client))
    assert alert.title == "metrics is 5 min behind"
    assert "120,345 messages are queued" in alert.text
    assert "metrics=3" in alert.action


def test_losses_of_the_last_hour_are_said_by_app(redis_client: redis.Redis) -> None:
    report_status(redis_client, worker("metrics"))
    record_once(redis_client, "old", "shop", [Loss("L10", 7)], [], int(time.time()) - 7_200)
    assert codes(redis_client) == []
    record_once(redis_client, "a", "shop", [Loss("L10", 1_200), Loss("L12", 40)], [], int(time.time()) - 600)
    record_once(redis_client, "b", "", [Loss("L10", 1)], [], int(time.time()))
    found = health(redis_client)
    assert found.losses_last_hour == {"shop": 1_240, "": 1}
    assert found.losses_ever == {"shop": 1_247, "": 1}
    assert found.losses_by_code == {"L10": 1_208, "L12": 40}
    titles = [alert.title for alert in alerts(found)]
    assert titles == [
        "1 message from your app was lost in the last hour",
        "1,240 messages from shop were lost in the last hour",
    ]


def test_what_is_said_of_one_app_names_it(redis_client: redis.Redis) -> None:
    """So that a view of another app can leave it out. What is said of Tailrace itself names none."""
    now_s = int(time.time())
    seen = [SeenRequest(now_s, f"/{number}", app="shop") for number in range(6)]
    fill(redis_client, seen, now_s, routes_max=4)
    reports = [Report("L14", 1), Report(OTHER_DRAIN, 5)]
    record_once(redis_client, "a", "api", [Loss("L10", 3)], [], now_s, reports)
    found = {alert.code: alert.app for alert in alerts(health(redis_client, routes_max=4))}
    assert found == {
        "no_worker:metrics": "",
        "losses:api": "api",
        "other_drain:api": "api",
        "sender_report:L14:api": "api",
        "routes_full:": "",
        "routes_full:shop": "shop",
    }


def test_the_fill_of_the_log_and_what_it_dropped_unread(redis_client: redis.Redis) -> None:
    report_status(redis_client, worker("metrics"))
    redis_client.xgroup_create(STREAM, "metrics", "0", mkstream=True)
    redis_client.hset(META, "stopped:metrics", 0)  # Its worker has never been there, as far as is known.
    writer = RedisWriter(redis_client, 3_000)
    for number in range(60):
        writer.append(f"frame-{number}", [b'{"n":%d}' % number], 1.0)
    found = health(redis_client)
    assert found.log is not None
    assert 2_000 < found.log.bytes <= 3_000
    assert found.log.limit_bytes == 1_000_000
    assert found.log.messages_added == 60
    assert found.log.messages_kept + found.log.messages_trimmed == 60
    assert found.log.reaches_back_s in (0, 1)
    group = found.groups[0]
    assert group.log_lost == found.log.messages_trimmed > 0
    (alert,) = alerts(found)
    assert alert.code == "log_lost:metrics"
    assert "REDIS_LOG_MAX_MB" in alert.action


def test_a_log_that_is_full_of_what_a_running_group_has_not_read_is_an_alarm_while_frames_are_refused(
    redis_client: redis.Redis,
) -> None:
    report_status(redis_client, worker("metrics", lag=20, lag_s=5))
    RedisReader(redis_client, "metrics", "earliest").poll(0.01, 10)
    writer = RedisWriter(redis_client, 3_000)
    refused = 0
    for number in range(60):
        try:
            writer.append(f"frame-{number}", [b'{"n":%d}' % number], 1.0)
        except NotDurable:
            refused += 1
    found = health(redis_client)
    assert found.groups[0].refused_full == refused > 0
    assert found.groups[0].log_lost == 0
    (alert,) = alerts(found)
    assert (alert.code, alert.severity, alert.count) == ("log_full:metrics", "alarm", refused)
    assert alert.title == "The log is full: frames are rejected until metrics catches up"
    assert alert.text.startswith("20 messages are queued for metrics.")
    assert "heroku ps:scale metrics=2" in alert.action
    assert "REDIS_LOG_MAX_MB" in alert.action
    assert alerts(replace(found, at_s=found.at_s + 120)) == []


def test_the_log_knows_how_far_a_silent_group_is_behind(redis_client: redis.Redis) -> None:
    redis_client.hset(META, mapping={"added": 900, "kept": 900, "read:metrics": 200, "bytes": 10})
    (alert,) = alerts(health(redis_client))
    assert "700 messages are queued" in alert.text


def test_with_kafka_there_is_no_log_in_redis(redis_client: redis.Redis) -> None:
    assert health(redis_client, ON_KAFKA).log is None


def test_dead_letters_that_could_not_be_kept_are_said(redis_client: redis.Redis) -> None:
    report_status(redis_client, worker("metrics"))
    letters = [dead_letters.dead_letter("line", "drain", "why", b"x")] * 3
    kept_letters.add(redis_client, letters)
    assert health(redis_client).dead_letters_bytes > 3 * dead_letters.OVERHEAD_BYTES
    redis_client.hset("tailrace:counts", "dead_letters_dropped", 1_200)
    assert codes(redis_client) == ["dead_letters", "dead_letters_dropped"]
    assert alerts(health(redis_client))[1].title == "1,200 dead letters could not be kept"


def test_dead_letters_are_said_while_they_are_kept(redis_client: redis.Redis) -> None:
    report_status(redis_client, worker("metrics"))
    kept_letters.add(redis_client, [dead_letters.dead_letter("line", "drain", "why", b"x")] * 3)
    (alert,) = alerts(health(redis_client))
    assert (alert.title, alert.count) == ("3 dead letters", 3)
    dead_letters.drop(redis_client, [letter.id for letter in dead_letters.read(redis_client)])
    assert codes(redis_client) == []
    assert health(redis_client).dead_letters_ever == 3


@pytest.mark.parametrize(("messages", "severity"), [(4_000, "warning"), (4_100, "note")])
def test_router_lines_without_a_path_are_said(
    redis_client: redis.Redis, messages: int, severity: str
) -> None:
    report_status(redis_client, worker("metrics"))
    redis_client.hset("tailrace:group:metrics", mapping={"messages": messages, "without_path": 41})
    (alert,) = alerts(health(redis_client))
    assert (alert.code, alert.severity, alert.count) == ("without_path:metrics", severity, 41)
    assert alert.title == "41 router lines had no path"
    assert "dead-letters list" in alert.action
    redis_client.hdel("tailrace:group:metrics", "without_path")
    assert codes(redis_client) == []


def test_times_that_cannot_be_read_and_marks_that_are_not_signed_are_said(redis_client: redis.Redis) -> None:
    report_status(redis_client, worker("metrics"))
    for what, count in (("messages", 1_000), ("unreadable_times", 11), ("forged_marks", 1)):
        redis_client.hset("tailrace:group:metrics", what, count)
    times, marks = alerts(health(redis_client))
    assert (times.code, times.severity, times.count) == ("unreadable_times:metrics", "warning", 11)
    assert (marks.code, marks.severity, marks.count) == ("forged_marks:metrics", "note", 1)
    assert "REPLAY_KEY" in marks.action
    redis_client.hset("tailrace:group:metrics", "messages", 1_100)
    assert {alert.severity for alert in alerts(health(redis_client))} == {"note"}


def test_sentences_of_the_platform_that_say_nothing_that_is_kept_are_counted_and_alarm_nobody(
    redis_client: redis.Redis,
) -> None:
    report_status(redis_client, worker("metrics"))
    for what, count in (("messages", 10), ("platform_messages", 10_000), ("platform_unread", 9_000)):
        redis_client.hset(keys.group("metrics"), what, count)
    found = health(redis_client)
    assert alerts(found) == []
    (metrics,) = [group for group in found.groups if group.group == "metrics"]
    assert (metrics.totals["platform_messages"], metrics.totals["platform_unread"]) == (10_000, 9_000)


def test_each_kind_of_fault_of_a_sender_has_words_and_is_shown_for_an_hour(redis_client: redis.Redis) -> None:
    report_status(redis_client, worker("metrics"))
    now_s = int(time.time())
    for sender in get_args(SenderKind):
        faults: dict[tuple[Kind, SenderKind], Tally] = {
            (kind, sender): Tally(2, now_s, "0123456789ab") for kind in KINDS
        }
        record_faults(redis_client, faults, {}, now_s)
    found = health(redis_client)
    said = {alert.code: alert for alert in alerts(found)}
    of_accepted = {"app_name", "newline", "platform_topic"}
    assert set(said) == of_accepted | {f"frames_refused:{kind}" for kind in KINDS[:-3]}
    assert all(alert.action and alert.count == 2 for alert in said.values())
    assert said["newline"].severity == "note"
    assert [fault.count_last_hour for fault in found.sender_faults] == [2] * 2 * len(KINDS)
    later = replace(found, at_s=now_s + 3_600)
    assert alerts(later) == []


def test_the_digests_of_unknown_tokens_are_listed_busiest_first_and_not_all(
    redis_client: redis.Redis,
) -> None:
    report_status(redis_client, worker("metrics"))
    now_s = int(time.time())
    tokens = {f"digest{number}": Tally(number, now_s) for number in range(1, 8)}
    record_faults(redis_client, {("token", "logplex"): Tally(28, now_s, "digest7")}, tokens, now_s)
    (alert,) = alerts(health(redis_client))
    assert alert.title == "28 frames came from drains that DRAIN_TOKENS does not name (401)"
    listed = ", ".join(f"digest{number} ({number})" for number in (7, 6, 5, 4, 3))
    assert alert.text.endswith(f"Digests of the tokens: {listed} and 2 more.")


def test_what_redis_refused_is_said(redis_client: redis.Redis) -> None:
    report_status(redis_client, worker("metrics"))
    redis_client.set("tailrace:all:dynos", "somebody else's")
    fill(redis_client, [SeenRequest(time.time())], time.time())
    (alert,) = alerts(health(redis_client))
    assert (alert.code, alert.count) == ("refused:metrics", 1)


def test_a_full_table_of_routes_is_a_note(redis_client: redis.Redis) -> None:
    report_status(redis_client, worker("metrics"))
    fill(
        redis_client,
        [SeenRequest(time.time(), f"/{number}", app="shop") for number in range(6)],
        time.time(),
        routes_max=4,
    )
    found = health(redis_client, routes_max=4)
    assert found.full_apps == ["", "shop"]
    assert {alert.severity for alert in alerts(found)} == {"note"}


def test_a_redis_that_evicts_or_is_full_is_a_warning(redis_client: redis.Redis) -> None:
    report_status(redis_client, worker("metrics"))
    memory = redis_client.info("memory")
    assert isinstance(memory, dict)
    try:
        redis_client.config_set("maxmemory", int(memory["used_memory"] * 1.02))
        redis_client.config_set("maxmemory-policy", "volatile-lru")
        found = health(redis_client)
    finally:
        redis_client.config_set("maxmemory", 0)
        redis_client.config_set("maxmemory-policy", "noeviction")
    assert [alert.code for alert in alerts(found)] == ["eviction", "memory"]


def test_the_most_urgent_comes_first(redis_client: redis.Redis) -> None:
    fill(
        redis_client,
        [SeenRequest(time.time(), f"/{number}") for number in range(6)],
        time.time(),
        routes_max=4,
    )
    kept_letters.add(redis_client, [dead_letters.dead_letter("line", "drain", "why", b"x")])
    severities = [alert.severity for alert in alerts(health(redis_client, routes_max=4))]
    assert severities == ["alarm", "warning", "note"]


def test_alerts_that_nobody_judges_any_more_are_said(redis_client: redis.Redis) -> None:
    report_status(redis_client, worker("metrics"))
    now_s = int(time.time())
    assert codes(redis_client) == []  # Before the first time it may not be wanted.
    alert_board.store_board(redis_client, now_s - 60)
    assert codes(redis_client) == []
    alert_board.store_board(redis_client, now_s - 600)
    (alert,) = alerts(health(redis_client))
    assert (alert.code, alert.severity) == ("alerts_stopped", "warning")
    assert "judged last 10 min ago" in alert.text
    assert "heroku ps:scale alerts=1" in alert.action


def test_a_target_that_takes_nothing_is_said_until_it_takes_something(redis_client: redis.Redis) -> None:
    report_status(redis_client, worker("metrics"))
    now_s = int(time.time())
    alert_board.fill_alerts(redis_client, now_s - 10)
    (alert,) = alerts(health(redis_client))
    assert (alert.code, alert.severity, alert.count) == ("alert_target:pager", "warning", 1)
    assert alert.text.startswith("1 message to it was given up, the last ")
    assert alert.text.endswith(" ago: it answers 500.")
    assert "`python -m app alerts test pager`" in alert.action
    firing = alert_board.alert(now_s)
    again = alert_board.incident(firing, id="i2", to=("pager",))
    told = alert_board.message(again, now_s)
    alert_board.store_board(redis_client, now_s, firing, incidents=[again], messages=[told])
    (delivery,) = due(redis_client, now_s + 1)
    assert claim(redis_client, alert_board.HOLDER, delivery, now_s + 1)
    delivered(redis_client, delivery, now_s + 1)
    assert codes(redis_client) == []


def test_a_target_that_is_no_more_is_not_said_for_ever(redis_client: redis.Redis) -> None:
    report_status(redis_client, worker("metrics"))
    alert_board.fill_alerts(redis_client, int(time.time()) - 27 * 3_600)
    assert "alert_target:pager" not in codes(redis_client)


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '{"at_s": "x", "given_up": "y"}'])
def test_what_a_later_version_wrote_of_alerts_stops_no_health(redis_client: redis.Redis, text: str) -> None:
    report_status(redis_client, worker("metrics"))
    redis_client.hset(keys.ALERT_BOARD, keys.ALERT_BOARD_ITSELF, text)
    redis_client.hset(keys.ALERT_TARGETS, "ops", text)
    assert codes(redis_client) == []
