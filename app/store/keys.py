"""Names of all keys in Redis, on one page.

Without prefix: the talk's demo, byte for byte (`routes`, `<digest>::service`, ...). Everything
else is under `tailrace:`. An app with a name has `app:<name>:` in front of its own keys; the keys
without it hold all apps together.
"""

from __future__ import annotations

import hashlib

from app.store.bounds import OTHER

PREFIX = "tailrace:"
OTHER_ROUTE = OTHER
"""The row of what came after ROUTES_MAX routes."""

ALL_ROUTES = "all"
"""Stands where a digest stands, for the row of all routes of an app together."""

WINDOWS = ((10, 3_600), (60, 86_400), (3_600, 31 * 86_400))
"""(length, kept for) of each kind of time window, in seconds."""

CHUNK_S = {10: 600, 60: 3_600, 3_600: 86_400}
"""Length of a window -> of the chunk that it lies in: one key for many windows, since a key of its
own costs Redis more than most windows hold."""

COUNTS = PREFIX + "counts"
"""Hash of plain counters: `dead_letters`, `dead_letters_dropped`, `lost:<code>`."""

LOSSES = PREFIX + "losses"
"""Hash: app -> messages that its log said were lost before they came here."""

APPS = PREFIX + "apps"
"""Hash: app -> requests counted; "" stands for lines without an app's name."""


BUCKET_SHIFT = 443
"""Taken from the buckets in a window: MessagePack has one byte for -32 to 127, which then are
36 to 870 ms, and two for -128 to 255, which are 5 ms to 11 s."""


def digest(route: str) -> str:
    """Hex SHA-256 of a route, as in the talk's demo."""
    return hashlib.sha256(route.encode("utf-8", "surrogateescape")).hexdigest()


def scope(app: str) -> str:
    """What stands in front of an app's keys: empty for all apps together."""
    return f"app:{app}:" if app else ""


def legacy_key(app: str, route_digest: str, figure: str) -> str:
    """The talk's hashes: figure is `service`, `connect` or `statuses`."""
    return f"{scope(app)}{route_digest}::{figure}"


def routes(app: str) -> str:
    """Hash: route -> digest."""
    return f"{scope(app)}routes"


def extended_key(app: str, route_digest: str, figure: str) -> str:
    """Ours beside them: `mix`, `service` and `connect` (sketches), `dynos`, `hosts`."""
    return f"{PREFIX}{scope(app)}{route_digest}:{figure}"


def windows(app: str, route_digest: str) -> str:
    """What stands in front of the names of a route's chunks."""
    return f"{PREFIX}{scope(app)}{route_digest[:16]}:"


def chunk(length_s: int, start_s: int) -> tuple[str, int]:
    """Where a time window lies: the name of its chunk, and its number in it, from 0.

    A chunk is a hash: number -> MessagePack of the window's counts: `n` requests, `b` bytes,
    `s<status>`, `m<method>`, `c<code>`, the service sketch under its buckets 0, 1, ... and the
    connect sketch under -1, -2, ..., all less BUCKET_SHIFT. It expires once its last window has
    been kept long enough.
    """
    chunk_s = CHUNK_S[length_s]
    return f"{length_s}:{start_s // chunk_s * chunk_s}", start_s % chunk_s // length_s


def window(chunk_name: str, number: int) -> tuple[int, int]:
    """(length, start) in seconds of the window that `chunk` has named so."""
    length_s, _, chunk_start_s = chunk_name.partition(":")
    return int(length_s), int(chunk_start_s) + number * int(length_s)


def group(name: str) -> str:
    """Hash of a consumer group's totals: `messages`, `duplicates`, `lost`, `bad`, ..."""
    return f"{PREFIX}group:{name}"


def journal(group_name: str) -> str:
    """List of portions of rows that are settled and not yet added to the figures: see journal.py."""
    return f"{PREFIX}journal:{group_name}"


def loss_window(length_s: int, start_s: int) -> str:
    """Hash of one time window: app -> messages lost."""
    return f"{LOSSES}:{length_s}:{start_s}"
