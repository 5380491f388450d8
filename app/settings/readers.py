"""How the text of one setting becomes its value; each raises ValueError with what it must be."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from redis.connection import parse_url

from app.base_url import parse_base_url
from app.masking import safe_repr


def text(raw: str) -> str:
    return raw


def whole_number(low: int, high: int) -> Callable[[str], int]:
    def read(raw: str) -> int:
        try:
            value = int(raw)
        except ValueError:
            raise ValueError("must be a whole number") from None
        if not low <= value <= high:
            raise ValueError(f"must be from {low} to {high}")
        return value

    return read


def share(raw: str) -> float:
    try:
        value = float(raw)
    except ValueError:
        raise ValueError("must be a number from 0 to 1") from None
    if not 0 <= value <= 1:
        raise ValueError("must be a number from 0 to 1")
    return value


def positive(raw: str) -> float:
    try:
        value = float(raw)
    except ValueError:
        raise ValueError("must be a number above 0") from None
    if not 0 < value < float("inf"):
        raise ValueError("must be a number above 0")
    return value


def speed(raw: str) -> float:
    """`max` is infinite speed."""
    if raw == "max":
        return float("inf")
    try:
        return positive(raw)
    except ValueError:
        raise ValueError("must be a number above 0, or `max`") from None


def choice(*allowed: str) -> Callable[[str], str]:
    def read(raw: str) -> str:
        if raw not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return raw

    return read


def flag(raw: str) -> bool:
    if raw.lower() in ("1", "true", "yes", "on"):
        return True
    if raw.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError("must be 1 or 0")


def header_value(raw: str) -> str:
    if not raw.isascii() or not raw.isprintable():
        raise ValueError("must be printable ASCII")
    return raw


def host_header(raw: str) -> str:
    if not re.fullmatch(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?", raw):
        raise ValueError("must be a host name, such as staging.example.com, with or without a port")
    return raw


REPLAY_KEY_MIN_CHARS = 32


def replay_key(raw: str) -> str:
    if len(raw) < REPLAY_KEY_MIN_CHARS or not raw.isascii() or not raw.isprintable():
        raise ValueError(
            f"must be at least {REPLAY_KEY_MIN_CHARS} characters of printable ASCII, such as "
            "`openssl rand -hex 32` prints"
        )
    return raw


def methods(raw: str) -> tuple[str, ...]:
    names = tuple(name.strip().upper() for name in raw.split(",") if name.strip())
    if not names or not all(name.isascii() and name.isalpha() for name in names):
        raise ValueError("must be methods separated by commas, such as GET,HEAD")
    return names


def drain_tokens(raw: str) -> dict[str, str]:
    """`d.TOKEN=app,...` -> {token: app}. An entry `app=NAME`, for drains that send no token and have the name
    in their URL, has itself for a key: `app=NAME` -> NAME."""
    tokens: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in raw.split(","))):
        token, equals, name = part.partition("=")
        if not equals or not (token.startswith("d.") or token == "app") or not _is_app_name(name):
            raise ValueError(
                "must be d.TOKEN=app pairs separated by commas (or app=NAME for drains without a token); "
                "app: a-z, 0-9, - and _"
            )
        tokens[part if token == "app" else token] = name
    return tokens


def _is_app_name(name: str) -> bool:
    return 0 < len(name) <= 64 and name.isascii() and all(c.isalnum() or c in "-_" for c in name)


def app_argument(raw: str) -> str:
    """The value of a command's `--app`; a type for argparse. Empty: all apps together."""
    if raw and not _is_app_name(raw):
        raise argparse.ArgumentTypeError("must be an app's name: a-z, 0-9, - and _, 64 at most")
    return raw


def credentials(raw: str) -> tuple[tuple[str, str], ...]:
    """`user:password,...`, each part percent-encoded where it holds a comma or a colon."""
    pairs = []
    for part in filter(None, (part.strip() for part in raw.split(","))):
        user, colon, password = part.partition(":")
        if not (colon and user and password):
            raise ValueError("must be user:password pairs separated by commas")
        pairs.append((unquote(user), unquote(password)))
    return tuple(pairs)


def redis_url(raw: str) -> str:
    if raw.partition("://")[0] not in ("redis", "rediss", "unix"):
        raise ValueError("must start with redis://, rediss:// or unix://")
    try:
        parse_url(raw)  # type: ignore[no-untyped-call]
        # A password that holds / ? or # can still make a URL, of another host and with an @ further on.
        if raw.count("@") > urlsplit(raw).netloc.count("@"):
            raise ValueError
    except ValueError:
        # Not its own words: they may quote a password that holds a slash.
        raise ValueError(
            "must be a URL such as redis://:PASSWORD@host:6379/0; in a password, / ? # @ and % "
            "are written %2F %3F %23 %40 and %25"
        ) from None
    return raw


def kafka_prefix(raw: str) -> str:
    """What Kafka takes in the name of a topic (org.apache.kafka.common.internals.Topic)."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", raw):
        raise ValueError("must be letters, digits, `.`, `_` and `-`, 200 at most")
    return raw


def kafka_brokers(raw: str) -> str:
    parts = [part.strip() for part in raw.split(",") if part.strip()]
    schemes = {urlsplit(part).scheme for part in parts}
    if not parts or not schemes <= {"kafka", "kafka+ssl"}:
        raise ValueError("must be kafka://host:port or kafka+ssl://host:port, separated by commas")
    if len(schemes) > 1:
        raise ValueError("must not mix kafka:// and kafka+ssl://")
    if "@" in raw:
        raise ValueError(
            "must not contain a user or password: use KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"
        )
    for part in parts:
        try:
            if not urlsplit(part).hostname or not urlsplit(part).port:
                raise ValueError
        except ValueError:
            raise ValueError("must give a host and a port for each broker") from None
    return ",".join(parts)


def base_url(raw: str) -> str:
    parse_base_url(raw)
    return raw.rstrip("/")


URLS = (base_url, kafka_brokers, redis_url)


def it_is(raw: str, read: Callable[[str], object]) -> str:
    """` (it is 'banana')`, for the end of an error; empty where the value may hold a password."""
    # `user:password` alone is no URL yet, but where one is wanted it was to become one.
    is_hidden = safe_repr(raw) != repr(raw) or (read in URLS and ":" in raw)
    return "" if is_hidden else f" (it is {raw!r})"
