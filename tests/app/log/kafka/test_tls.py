"""Kafka as it is hosted, by both clients: TLS, certificates, logins, prefixes, and what goes wrong."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import redis

from app.errors import LogUnavailable, TailraceError
from app.log.kafka.topic import GroupRefused, TopicMissing, ensure_topic
from app.message import message_id
from app.settings import Settings
from servers.redis_server import RedisServer
from tests.app.log.logs import Log, frame
from tests.support.certificates import Authority
from tests.support.hosted_kafka import PREFIX, HerokuKafka, LoginKafka

pytestmark = pytest.mark.kafka

TIMEOUT_S = 20.0
IN_VAIN_S = 1.5
"""Long enough for a broker on loopback to say no several times."""
CLIENTS = pytest.mark.parametrize("client", ["kafka-python", "confluent"])


@pytest.fixture
def store(redis_server: RedisServer) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(redis_server.url)
    client.flushall()
    yield client
    client.close()


def carries_a_frame(environ: Mapping[str, str], server: RedisServer, store: redis.Redis) -> bool:
    """Writes a frame and reads it back as the group `metrics`."""
    log = Log({**environ, "REDIS_URL": server.url}, store)
    frame_id = uuid.uuid4().hex
    try:
        reader = log.reader()
        assert log.writer().append(frame_id, frame(frame_id, 3), TIMEOUT_S).messages == 3
        return log.drain(reader, count=3).ids == [message_id(frame_id, index) for index in range(3)]
    finally:
        log.close()


def what_is_said(environ: Mapping[str, str]) -> str:
    """The one error of a client that cannot get in; it must show no secret."""
    with pytest.raises(TailraceError) as caught:
        ensure_topic(Settings.load(environ), IN_VAIN_S)
    reason = str(caught.value)
    assert "PRIVATE KEY" not in reason
    assert "BEGIN CERT" not in reason
    assert "s3cret" not in reason
    return reason


# --- Heroku's add-on ------------------------------------------------------------------------


@CLIENTS
def test_a_dedicated_plan_carries_frames(
    heroku_kafka: HerokuKafka, redis_server: RedisServer, store: redis.Redis, client: str
) -> None:
    heroku_kafka.allow_dedicated("dedicated")
    prefix = f"{client}."  # A topic for each client; a dedicated plan has no prefix.
    heroku_kafka.make_topic(f"{prefix}router")
    environ = {**heroku_kafka.environ("dedicated", prefix), "KAFKA_CLIENT": client}
    assert carries_a_frame(environ, redis_server, store)


@CLIENTS
def test_a_multi_tenant_plan_carries_frames_under_its_prefix(
    heroku_kafka: HerokuKafka, redis_server: RedisServer, store: redis.Redis, client: str
) -> None:
    prefix = f"{PREFIX}{client}-"
    heroku_kafka.allow_tenant("tenant", [f"{client}-metrics"])
    heroku_kafka.make_topic(f"{prefix}router")
    environ = {**heroku_kafka.environ("tenant", prefix), "KAFKA_CLIENT": client}
    assert carries_a_frame(environ, redis_server, store)


@CLIENTS
def test_two_authorities_in_one_variable_are_both_trusted(
    heroku_kafka: HerokuKafka, redis_server: RedisServer, store: redis.Redis, client: str, tmp_path: Path
) -> None:
    """While the add-on rotates its authority, KAFKA_TRUSTED_CERT holds the old one and the new
    (Heroku Dev Center, "CA Certificate Rotation for Apache Kafka on Heroku")."""
    heroku_kafka.allow_dedicated("rotating")
    prefix = f"rotating-{client}."
    heroku_kafka.make_topic(f"{prefix}router")
    environ = {**heroku_kafka.environ("rotating", prefix), "KAFKA_CLIENT": client}
    environ["KAFKA_TRUSTED_CERT"] = (
        Authority(tmp_path, "next").certificate.pem + environ["KAFKA_TRUSTED_CERT"]
    )
    assert carries_a_frame(environ, redis_server, store)


def test_a_missing_topic_gives_the_commands_that_make_it(heroku_kafka: HerokuKafka) -> None:
    heroku_kafka.allow_tenant("new-tenant")
    prefix = f"{PREFIX}new-"
    with pytest.raises(TopicMissing) as caught:
        ensure_topic(Settings.load(heroku_kafka.environ("new-tenant", prefix)), TIMEOUT_S)
    reason = str(caught.value)
    assert f"the topic {prefix}router is missing" in reason
    assert "heroku kafka:topics:create router --partitions 32 --replication-factor 3 -a APP" in reason
    plain = f"--topic {prefix}router --partitions 32 --replication-factor 3 --config min.insync.replicas=2"
    assert plain in reason
    assert "heroku kafka:consumer-groups:create metrics -a APP" in reason


def test_a_dedicated_plan_needs_no_command_for_groups(heroku_kafka: HerokuKafka) -> None:
    with pytest.raises(TopicMissing) as caught:
        ensure_topic(Settings.load(heroku_kafka.environ("nobody")), TIMEOUT_S)
    assert "consumer-groups" not in str(caught.value)


def test_a_missing_group_gives_the_command_that_makes_it(heroku_kafka: HerokuKafka) -> None:
    prefix = f"{PREFIX}half-"
    heroku_kafka.allow_tenant("half", ["half-metrics"])
    heroku_kafka.make_topic(f"{prefix}router")
    settings = Settings.load(heroku_kafka.environ("half", prefix))
    assert ensure_topic(settings, TIMEOUT_S, ["metrics"]) == "present"
    with pytest.raises(GroupRefused, match="kafka:consumer-groups:create replay -a APP"):
        ensure_topic(settings, TIMEOUT_S, ["metrics", "replay"])


@CLIENTS
def test_a_broker_of_another_authority_is_never_talked_to(
    heroku_kafka: HerokuKafka, redis_server: RedisServer, store: redis.Redis, client: str, tmp_path: Path
) -> None:
    """Off is the check of the host name alone: the chain counts."""
    heroku_kafka.allow_dedicated("trusting")
    heroku_kafka.make_topic(f"trusting-{client}.router")
    environ = {**heroku_kafka.environ("trusting", f"trusting-{client}."), "KAFKA_CLIENT": client}
    environ["KAFKA_TRUSTED_CERT"] = Authority(tmp_path, "other").certificate.pem
    log = Log({**environ, "REDIS_URL": redis_server.url}, store)
    try:
        with pytest.raises(TailraceError, match="no Kafka broker answers"):
            log.writer().append("f", frame("f", 1), IN_VAIN_S)
    finally:
        log.close()


def test_another_authority_is_said(heroku_kafka: HerokuKafka, tmp_path: Path) -> None:
    environ = heroku_kafka.environ("app")
    environ["KAFKA_TRUSTED_CERT"] = Authority(tmp_path, "other").certificate.pem
    assert "its certificate is not trusted by KAFKA_TRUSTED_CERT" in what_is_said(environ)


def test_a_client_certificate_of_another_authority_is_said(heroku_kafka: HerokuKafka, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "other").sign("app")
    environ = heroku_kafka.environ("app")
    environ |= {"KAFKA_CLIENT_CERT": stranger.pem, "KAFKA_CLIENT_CERT_KEY": stranger.key_pem}
    assert "it rejects the certificate in KAFKA_CLIENT_CERT" in what_is_said(environ)


def test_a_missing_client_certificate_is_said(heroku_kafka: HerokuKafka) -> None:
    environ = heroku_kafka.environ("app")
    environ |= {"KAFKA_CLIENT_CERT": "", "KAFKA_CLIENT_CERT_KEY": ""}
    assert "Heroku's brokers need KAFKA_CLIENT_CERT and KAFKA_CLIENT_CERT_KEY" in what_is_said(environ)


def test_a_url_without_tls_is_said(heroku_kafka: HerokuKafka) -> None:
    plain = heroku_kafka.broker.url.replace("kafka+ssl://", "kafka://")
    assert "should KAFKA_URL start with kafka+ssl://?" in what_is_said({"KAFKA_URL": plain})


# --- logins over TLS ------------------------------------------------------------------------


@CLIENTS
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
def test_a_login_over_tls_carries_frames(
    login_kafka: LoginKafka, redis_server: RedisServer, store: redis.Redis, client: str, mechanism: str
) -> None:
    environ = {**login_kafka.environ(mechanism), "KAFKA_CLIENT": client}
    assert carries_a_frame({**environ, "KAFKA_PREFIX": f"{client}-{mechanism}."}, redis_server, store)


@CLIENTS
def test_a_broker_that_must_name_its_host_is_held_to_it(
    login_kafka: LoginKafka, redis_server: RedisServer, store: redis.Redis, client: str
) -> None:
    environ = {**login_kafka.environ(), "KAFKA_CLIENT": client, "REDIS_URL": redis_server.url}
    environ["KAFKA_URL"] = login_kafka.broker.url.replace("127.0.0.1", "localhost")
    log = Log(environ, store)
    try:
        with pytest.raises(TailraceError, match="no Kafka broker answers"):
            log.writer().append("f", frame("f", 1), IN_VAIN_S)
    finally:
        log.close()
    assert "certificate is not valid for 'localhost'" in what_is_said(environ)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"KAFKA_SASL_PASSWORD": "s3cret-wrong"}, "but not the SCRAM-SHA-512 login"),
        ({"KAFKA_SASL_MECHANISM": "SCRAM-SHA-256"}, "but not the SCRAM-SHA-256 login"),
        (
            {"KAFKA_SASL_MECHANISM": "", "KAFKA_SASL_USERNAME": "", "KAFKA_SASL_PASSWORD": ""},
            "does it require a login",
        ),
        ({"KAFKA_TRUSTED_CERT": ""}, "not trusted by this system; see KAFKA_TRUSTED_CERT"),
    ],
)
def test_what_is_wrong_with_a_login_is_said(
    login_kafka: LoginKafka, change: dict[str, str], reason: str
) -> None:
    assert reason in what_is_said({**login_kafka.environ(), **change})


# --- no broker at all -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("kafka+ssl://127.0.0.1:1", "127.0.0.1:1: Connection refused"),
        ("kafka://127.0.0.1:1,kafka://127.0.0.1:2", "127.0.0.1:1: Connection refused; 127.0.0.1:2: Con"),
        ("kafka://no-such-host.invalid:9092", "no-such-host.invalid:9092: no host has this name"),
    ],
)
def test_a_broker_that_is_not_there_is_said(url: str, reason: str) -> None:
    with pytest.raises(LogUnavailable) as caught:
        ensure_topic(Settings.load({"KAFKA_URL": url}), 1.0)
    assert reason in str(caught.value)
