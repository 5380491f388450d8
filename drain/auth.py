"""Authentication of senders and readers: HTTP Basic, compared in constant time, and drain tokens."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from flask import Request

from app.store.bounds import APP

CHALLENGE = {"WWW-Authenticate": 'Basic realm="Tailrace", charset="UTF-8"'}


class BasicAuth:
    """Accepts any of the user/password pairs; without pairs, accepts everyone.

    A process without pairs listens on loopback alone, or was told DRAIN_AUTH=none.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._wanted = [_digest(user, password) for user, password in pairs]

    def authenticates(self, request: Request) -> bool:
        """Compares every pair, whichever matches, so that the time taken reveals nothing."""
        if not self._wanted:
            return True
        given = request.authorization
        if given is None or given.type != "basic":
            return False
        offered = _digest(given.username or "", given.password or "")
        fits = [hmac.compare_digest(offered, wanted) for wanted in self._wanted]
        return any(fits)


def _digest(user: str, password: str) -> bytes:
    """Of equal length for any input, and unambiguous: `a` + `bc` is not `ab` + `c`."""
    user_digest = hashlib.sha256(user.encode("utf-8", "surrogatepass")).digest()
    return user_digest + hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest()


def app_in_url(values: Sequence[str]) -> str | None:
    """The name that the values of `?app=` give: empty without any, None if they name no app, or several."""
    if not values:
        return ""
    return values[0] if len(set(values)) == 1 and APP.fullmatch(values[0]) else None


def app_of(tokens: Mapping[str, str], token: str, named: str = "") -> str | None:
    """The app's name for a drain token, or None where it may not write. `named`: by the drain's URL.

    Without DRAIN_TOKENS anyone with the password may write, and the URL's name holds. With them, who may
    write is for them to say: a token's name is theirs, whatever the URL says, and a drain without a token
    needs an entry `app=NAME` for the name in its URL.
    """
    if not tokens:
        return named
    if not token:
        return tokens.get(f"app={named}")
    found = None
    for known, name in tokens.items():
        is_same = hmac.compare_digest(known.encode(), token.encode("utf-8", "surrogatepass"))
        if is_same and known.startswith("d."):
            found = name
    return found
