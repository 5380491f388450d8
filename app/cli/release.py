"""`python -m app release`: the Procfile's release phase. Checks what each process will need.

Makes the topic where that is allowed; says everything that is missing, with the fix, at once. Each service
offers its checks in its own package (app/checks.py).
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any, cast

import redis

from app.checks import Check, Found
from app.errors import LogUnavailable, NotDurable, TailraceError
from app.formatting import plural
from app.groups import GROUPS, log_groups
from app.redis_client import connect, unavailable_error
from app.settings import Settings

TIMEOUT_S = 10.0
HOLD_S = 4.0
"""As long as a frame is held."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Checks the settings, Redis and the log, and makes the topic if absent."
    parser.epilog = (
        "examples:\n"
        "  python -m app release\n"
        "  heroku run -a APP python -m app release     # by hand, before the first deploy of a setting\n\n"
        "exit code: 0 all is there (a WARNING stops nothing), 1 something is missing, 2 bad settings"
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Exit code 0 when every process can start, else 1."""
    missing = 0
    for name, check in _checks():
        try:
            found = check(settings)
            found = Found(found) if isinstance(found, str) else found
            print(f"ok       {name}: {found.text}")
            for warning in found.warnings:
                print(f"WARNING  {name}: {warning}")
        except TailraceError as fault:
            missing += 1
            print(f"MISSING  {name}: {fault}")
    return 1 if missing else 0


def _checks() -> Iterator[tuple[str, Check]]:
    """Those of every service, in the order in which a frame meets them."""
    yield from _offered("drain")
    yield from _offered("app.store")
    yield "log", _log
    for group in GROUPS:
        yield from _offered(group.package)


def _offered(package: str) -> tuple[tuple[str, Check], ...]:
    """The package's own checks; none where it has nothing to ask."""
    module = f"{package}.checks"
    if importlib.util.find_spec(module) is None:
        return ()
    return cast(tuple[tuple[str, Check], ...], importlib.import_module(module).CHECKS)


def _log(settings: Settings) -> Found | str:
    if not settings.kafka_url:
        return _redis_log(settings)
    from app.log.kafka import copies as kafka_copies
    from app.log.kafka.connection import ensure_topic, find_copies, topic_name

    topic = topic_name(settings)
    text = f"Kafka topic {topic} {ensure_topic(settings, TIMEOUT_S, log_groups(settings))}"
    copies = find_copies(settings, TIMEOUT_S)
    if copies is None:
        return text
    kafka_copies.require_writable(copies, topic)
    return Found(f"{text}, {kafka_copies.summary(copies)}", kafka_copies.dangers(copies, topic))


def _redis_log(settings: Settings) -> Found:
    """What a 2xx promises. Raises LogUnavailable where the settings ask for what Redis does not give."""
    from app.log.redis.writer import PROBE, open_hold

    text = f"Redis Streams, up to {settings.redis_log_max_mb} MB; set KAFKA_URL for Apache Kafka"
    replicas, fsync = settings.redis_log_replicas, settings.redis_log_fsync
    client = connect(settings, connections=1, timeout_s=TIMEOUT_S)
    hold = open_hold(client, replicas, fsync=fsync)
    try:
        if hold is None:
            return Found(f"{text}. 2xx: in Redis's memory", tuple(_unheld(client.info("replication"))))
        client.set(PROBE, 1, ex=60)
        hold.wait([("key", PROBE.encode())], HOLD_S)
    except redis.RedisError as fault:
        raise unavailable_error(settings, fault) from None
    except NotDurable as fault:
        raise LogUnavailable(f"frames would get 503: {fault}") from None
    finally:
        if hold:
            hold.close()
        client.close()
    safe = [f"in {plural(replicas, 'replica')}"] if replicas else []
    safe += ["on Redis's disk"] if fsync else []
    return Found(f"{text}. 2xx: {' and '.join(safe)}")


def _unheld(replication: Any) -> Iterator[str]:
    if replicas := int(replication.get("connected_slaves", 0)):
        yield (
            f"Redis has {plural(replicas, 'replica')} and frames do not wait for any: when one takes over, "
            "what it had not received is lost, acknowledged or not. REDIS_LOG_REPLICAS=1 prevents that"
        )
