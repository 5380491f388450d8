"""The release phase: all that is missing, at once, with the fix; a deploy that cannot run is stopped."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
import redis

from servers.kafka_broker import KafkaBroker
from servers.processes import Process, Processes
from servers.redis_server import RedisServer
from tests.support.hosted_kafka import PREFIX, HerokuKafka
from tests.support.replicated_redis import ReplicatedRedis

WELL, MISSING, BAD_SETTINGS = 0, 1, 2
RELEASE_S = 60
CREDENTIALS = {
    "DRAIN_USER": "logplex",
    "DRAIN_PASSWORD": "s3cret",
    "ALERT_SLACK_URL": "https://hooks.slack.com/services/T/B/s3cret",
    "TAILRACE_URL": "https://tailrace.example.com",
}


def release(**environ: str) -> tuple[int, str]:
    """Exit code and output of the Procfile's `release`."""
    with Processes(environ) as processes:
        process: Process = processes.start("release")
        code = process.popen.wait(RELEASE_S)
        return code, process.output


def test_all_is_there(redis_url: str) -> None:
    code, output = release(REDIS_URL=redis_url, **CREDENTIALS)
    assert code == WELL
    assert "ok       redis: Redis" in output
    assert "ok       log: Redis Streams" in output
    assert "on by default (errors, " in output
    assert "; to slack (hooks.slack.com)" in output
    assert "s3cret" not in output
    assert "WARNING" not in output


def test_what_a_crash_of_redis_may_lose_is_a_warning_that_stops_nothing(
    redis_url: str, redis_client: redis.Redis
) -> None:
    redis_client.config_set("appendfsync", "no")
    code, output = release(REDIS_URL=redis_url, **CREDENTIALS)
    assert code == WELL
    assert "WARNING  redis: appendfsync is no" in output
    redis_client.config_set("appendonly", "no")
    try:
        code, output = release(REDIS_URL=redis_url, **CREDENTIALS)
    finally:
        redis_client.config_set("appendfsync", "everysec")
        redis_client.config_set("appendonly", "yes")
    assert code == WELL
    assert "WARNING  redis: no append-only file: a crash or restart of Redis loses" in output


def test_replicas_that_nobody_waits_for_are_a_warning_and_too_few_stop_the_deploy() -> None:
    with ReplicatedRedis() as both:
        environ = {"REDIS_URL": both.primary.url, **CREDENTIALS}
        code, output = release(**environ)
        assert code == WELL
        assert "WARNING  log: Redis has 1 replica, but frames do not wait for one" in output
        code, output = release(**environ, REDIS_LOG_REPLICAS="1")
        assert code == WELL
        assert "2xx: in 1 replica\n" in output
        assert "WARNING" not in output
        code, output = release(**environ, REDIS_LOG_REPLICAS="2")
    assert code == MISSING
    assert "MISSING  log: frames would get 503: only 1 of 2 replicas (REDIS_LOG_REPLICAS)" in output


def test_a_redis_that_cannot_say_what_is_on_disk_stops_the_deploy_that_asks_for_it(
    old_redis_server: RedisServer,
) -> None:
    code, output = release(REDIS_URL=old_redis_server.url, REDIS_LOG_FSYNC="1", **CREDENTIALS)
    assert code == MISSING
    assert "MISSING  log: frames would get 503: REDIS_LOG_FSYNC=1 needs Redis 7.2 or newer" in output


def test_everything_that_is_missing_is_said_at_once() -> None:
    code, output = release(
        REDIS_URL="redis://:s3cret@127.0.0.1:1/0", KAFKA_URL="kafka://127.0.0.1:2", DYNO="release.1"
    )
    assert code == MISSING
    assert "MISSING  drain: DRAIN_USER and DRAIN_PASSWORD are missing" in output
    assert "MISSING  redis: Redis at redis://********@127.0.0.1:1/0: " in output
    assert "MISSING  log: no Kafka broker answers: 127.0.0.1:2: Connection refused" in output
    assert "ok       replay: REPLAY_HOST is unset" in output
    assert "s3cret" not in output
    assert "Traceback" not in output


def test_a_redis_that_would_throw_counts_away_is_no_redis(redis_url: str, redis_client: redis.Redis) -> None:
    redis_client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        code, output = release(REDIS_URL=redis_url, **CREDENTIALS)
    finally:
        redis_client.config_set("maxmemory-policy", "noeviction")
    assert code == MISSING
    assert "heroku redis:maxmemory --policy noeviction -a APP" in output


def test_bad_settings_are_another_exit_code(redis_url: str) -> None:
    code, output = release(REDIS_URL=redis_url, REPLAY_SAMPLE="2")
    assert code == BAD_SETTINGS
    assert "REPLAY_SAMPLE must be a number from 0 to 1" in output


def test_replay_rules_that_would_stop_the_worker_stop_the_deploy(redis_url: str, tmp_path: Path) -> None:
    file = tmp_path / "tailrace.yml"
    environ = {
        "REDIS_URL": redis_url,
        "TAILRACE_CONFIG": str(file),
        "REPLAY_HOST": "https://staging.example.com",
        **CREDENTIALS,
    }
    file.write_text("replay:\n- {path: /admin, do: deny}\n- set_headers: {X-Key: '${STAGING_KEY}'}\n")
    good = file.read_text()
    file.write_text(good + "- rewrite_path: {match: '(?=a)', replace: ''}\n")
    code, output = release(**environ)
    assert code == BAD_SETTINGS
    assert "replay: rule 3: `rewrite_path`: `match` is not a valid RE2 expression" in output
    file.write_text(good)
    code, output = release(**environ)
    assert code == MISSING
    assert "MISSING  replay: " in output
    assert "replay: rule 2: " in output
    assert "STAGING_KEY" in output

    code, output = release(**environ, STAGING_KEY="s3cret")
    assert code == WELL
    assert "ok       replay: to https://staging.example.com, methods GET, HEAD, 2 rule(s)" in output
    assert "s3cret" not in output


def test_a_live_replay_slower_than_life_stops_the_deploy(redis_url: str) -> None:
    code, output = release(
        REDIS_URL=redis_url, REPLAY_HOST="https://staging.example.com", REPLAY_SPEED="0.5", **CREDENTIALS
    )
    assert code == MISSING
    assert "REPLAY_SPEED must be 1 or more here (it is 0.5)" in output


@pytest.mark.kafka
def test_the_topic_is_made_once(redis_url: str, kafka_broker: KafkaBroker) -> None:
    prefix = f"{uuid.uuid4().hex[:8]}."
    environ = {"REDIS_URL": redis_url, "KAFKA_URL": kafka_broker.url, "KAFKA_PREFIX": prefix, **CREDENTIALS}
    assert release(**environ)[0] == WELL
    code, output = release(**environ)
    assert code == WELL
    assert f"ok       log: Kafka topic {prefix}router present" in output
    admin = kafka_broker.admin()
    try:
        assert len(admin.describe_topics([f"{prefix}router"])[0]["partitions"]) == 32
    finally:
        admin.close()


@pytest.mark.kafka
def test_a_plan_where_the_app_may_make_no_topic_stops_the_deploy(
    redis_url: str, heroku_kafka: HerokuKafka
) -> None:
    heroku_kafka.allow_tenant("release", ["release-metrics"])
    prefix = f"{PREFIX}release-"
    environ = {**heroku_kafka.environ("release", prefix), "REDIS_URL": redis_url, **CREDENTIALS}
    code, output = release(**environ)
    assert code == MISSING
    assert "heroku kafka:topics:create router --partitions 32 --replication-factor 3 -a APP" in output
    assert "heroku kafka:topics:create platform --partitions 8 --replication-factor 3 -a APP" in output

    heroku_kafka.make_topic(f"{prefix}router")
    code, output = release(**environ)
    assert code == MISSING
    assert "heroku kafka:topics:create router" not in output
    assert "heroku kafka:topics:create platform" in output

    heroku_kafka.make_topic(f"{prefix}platform")
    assert release(**environ)[0] == WELL
    code, output = release(**environ, REPLAY_HOST="https://staging.example.com")
    assert code == MISSING
    assert "heroku kafka:consumer-groups:create replay -a APP" in output
    assert "PRIVATE KEY" not in output


def test_each_service_offers_its_checks_and_they_are_made_in_the_order_of_a_frame(redis_url: str) -> None:
    _, output = release(REDIS_URL=redis_url, **CREDENTIALS)
    names = [line.split()[1] for line in output.splitlines() if line.startswith("ok")]
    assert names == ["drain:", "redis:", "log:", "routes:", "replay:", "alerts:"]
