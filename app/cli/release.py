"""`python -m app release`: the Procfile's release phase. Checks what each process will need.

Creates the topic where that is allowed; lists everything that is missing, with the fix, at once.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import redis

from app.errors import LogUnavailable, NotDurable, TailraceError
from app.formatting import plural
from app.masking import mask_url
from app.redis_client import connect, unavailable_error
from app.routes import compile_rules
from app.settings import Settings

TIMEOUT_S = 10.0
HOLD_S = 4.0
"""As long as a frame is held."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a check has found: `text` in a few words, and what works but deserves a warning."""

    text: str
    warnings: tuple[str, ...] = ()
    """Each says what may happen and, where there is one, the command or setting that prevents it."""


Check = Callable[[Settings], Found | str]
"""What is there. Raises TailraceError with what is missing and the fix."""


class Release:
    """The command. What a live replay needs is `consumers`' to say, so that check is passed in."""

    def __init__(self, replay: Check) -> None:
        self._checks: tuple[tuple[str, Check], ...] = (
            ("drain", _drain),
            ("redis", _redis),
            ("log", _log),
            ("routes", _routes),
            ("replay", replay),
        )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.description = "Checks the settings, Redis and the log, and creates the topic if it is missing."
        parser.epilog = (
            "exit code: 0 all in place (a WARNING stops nothing), 1 something is missing, 2 bad settings"
        )

    def run(self, args: argparse.Namespace, settings: Settings) -> int:
        """Exit code 0 when every process can start, else 1."""
        missing = 0
        for name, check in self._checks:
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


def _drain(settings: Settings) -> str:
    if settings.bind_host == "127.0.0.1":
        said = "without DRAIN_USER and DRAIN_PASSWORD, `web` listens on 127.0.0.1 only"
        if "DYNO" in os.environ:
            raise TailraceError(f"{said} and refuses to start on a dyno")
        return said
    if not settings.drain_pairs:
        return "DRAIN_AUTH=none: anyone who can reach the port may send logs and read the dashboard"
    return f"{len(settings.drain_pairs)} user/password pair(s), {len(settings.drain_tokens)} drain token(s)"


def _redis(settings: Settings) -> Found:
    where = mask_url(settings.redis_address)
    client = connect(settings, connections=1, timeout_s=TIMEOUT_S)
    try:
        info = client.info()
        policy = info.get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            raise LogUnavailable(
                f"maxmemory-policy is {policy}: Redis would evict figures when it is full. "
                "Set it to noeviction (Heroku: heroku redis:maxmemory --policy noeviction -a APP)"
            )
        return Found(
            f"Redis {info['redis_version']} at {where}{_on_disk(info)}",
            tuple(_risks(info, _appendfsync(client))),
        )
    except redis.RedisError as fault:
        raise unavailable_error(settings, fault) from None
    finally:
        client.close()


def _appendfsync(client: redis.Redis) -> str:
    """Empty where Redis does not say, as on plans that keep CONFIG to themselves."""
    try:
        return str(cast(dict[Any, Any], client.config_get("appendfsync")).get("appendfsync", ""))
    except redis.ResponseError:
        return ""


def _on_disk(info: dict[str, Any]) -> str:
    return ", append-only file" if info.get("aof_enabled") else ""


def _risks(info: dict[str, Any], appendfsync: str) -> Iterator[str]:
    """What a crash of Redis would lose, of figures and log alike."""
    if not info.get("aof_enabled"):
        yield (
            "no append-only file: a crash or restart of Redis loses everything since its last snapshot, "
            "acknowledged or not. Set `appendonly yes` (Heroku: use premium-0 or larger; mini keeps nothing)"
        )
    elif appendfsync == "no":
        yield (
            "appendfsync is no: the operating system decides how much a crash loses. "
            "Set `appendfsync everysec`"
        )


def _log(settings: Settings) -> Found | str:
    if not settings.kafka_url:
        return _redis_log(settings)
    from app.log.kafka import copies as kafka_copies
    from app.log.kafka.connection import ensure_topic, find_copies, topic_name

    groups = ("metrics", "replay") if settings.replay_host else ("metrics",)
    topic = topic_name(settings)
    text = f"Kafka topic {topic} {ensure_topic(settings, TIMEOUT_S, groups)}"
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
            f"Redis has {plural(replicas, 'replica')}, but frames do not wait for one: after a failover, "
            "what the replica had not received is lost, acknowledged or not. "
            "REDIS_LOG_REPLICAS=1 prevents that"
        )


def _routes(settings: Settings) -> str:
    rules = compile_rules(settings.route_rules)
    if settings.route_templates == "raw":
        return "raw paths" + ("; `routes:` in the YAML file has no effect" if rules else "")
    return f"{plural(len(rules), 'pattern')} of your own; ids in other paths become :id"
