"""Names of all keys in Redis, on one page.

Without prefix: the talk's demo, byte for byte (`routes`, `<digest>::service`, ...). Everything
else is under `tailrace:`. An app with a name has `app:<name>:` in front of its own keys; the keys
without it hold all apps together.
"""

from __future__ import annotations

import hashlib

PREFIX = "tailrace:"
OTHER_ROUTE = "(other)"


def digest(route: str) -> str:
    """Hex SHA-256 of a route, as in the talk's demo."""
    return hashlib.sha256(route.encode("utf-8", "surrogateescape")).hexdigest()


def scope(app: str) -> str:
    """What stands in front of an app's keys: empty for all apps together."""
    return f"app:{app}:" if app else ""
