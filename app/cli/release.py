"""`python -m app release`: the Procfile's release phase. Checks what each process will need.

Makes the topic where that is allowed; says everything that is missing, with the fix, at once.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import redis

from app.errors import LogUnavailable, TailraceError
from app.log import open_log
from app.masking import mask_url
from app.redis_client import connect, unavailable_error
from app.routes import compile_rules
from app.settings import Settings

TIMEOUT_S = 10.0


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
        parser.description = "Checks the settings, Redis and the log, and makes the topic if absent."
        parser.epilog = (
            "exit code: 0 all is there (a WARNING stops nothing), 1 something is missing, 2 bad settings"
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
        said = "without DRAIN_USER and DRAIN_PASSWORD it listens on 127.0.0.1 alone"
        if "DYNO" in os.environ:
            raise TailraceError(f"{said}: `web` would refuse to start here")
        return said
    if not settings.drain_pairs:
        return "DRAIN_AUTH=none: whoever reaches the port may write"
    return f"{len(settings.drain_pairs)} user/password pair(s), {len(settings.drain_tokens)} drain token(s)"


def _redis(settings: Settings) -> Found:
    where = mask_url(settings.redis_address)
    client = connect(settings, connections=1, timeout_s=TIMEOUT_S)
    try:
        info = client.info()
        policy = info.get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            raise LogUnavailable(
                f"maxmemory-policy is {policy}: Redis would throw counts away when it is full. "
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
            "no append-only file: a crash or restart of Redis loses what it wrote since its last snapshot, "
            "acknowledged or not. Set `appendonly yes` (Heroku: take premium-0 or larger, mini keeps nothing)"
        )
    elif appendfsync == "no":
        yield (
            "appendfsync is no: what is lost in a crash is up to the operating system. "
            "Set `appendfsync everysec`"
        )


def _log(settings: Settings) -> Found:
    groups = ("metrics", "replay") if settings.replay_host else ("metrics",)
    found = open_log(settings).ensure(groups, TIMEOUT_S)
    return Found(found.text, found.warnings)


def _routes(settings: Settings) -> str:
    rules = compile_rules(settings.route_rules)
    if settings.route_templates == "raw":
        return "paths as they are" + (", so `routes:` of the file says nothing" if rules else "")
    return f"{len(rules)} rule(s) of your own, then ids become templates"
