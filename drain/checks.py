"""What `web` needs of its settings: at its start, and before, in the release phase."""

from __future__ import annotations

from app.checks import Check
from app.errors import TailraceError
from app.settings import Settings


def unreachable(settings: Settings) -> str:
    """Why nobody could reach `web` on this platform; empty where it can be reached."""
    if settings.dyno and settings.bind_host == "127.0.0.1":
        return (
            "DRAIN_USER and DRAIN_PASSWORD are missing (or DRAIN_AUTH=none): without them `web` listens on "
            "127.0.0.1 only, so nobody could reach this dyno"
        )
    return ""


def _drain(settings: Settings) -> str:
    if fault := unreachable(settings):
        raise TailraceError(fault)
    if settings.bind_host == "127.0.0.1":
        return "without DRAIN_USER and DRAIN_PASSWORD, `web` listens on 127.0.0.1 only"
    if not settings.drain_credential_pairs:
        return "DRAIN_AUTH=none: anyone who can reach the port may send logs and read the dashboard"
    pairs = len(settings.drain_credential_pairs)
    tokens = sum(token.startswith("d.") for token in settings.drain_tokens)
    apps = len(settings.drain_tokens) - tokens
    return f"{pairs} user/password pair(s), {tokens} drain token(s)" + (
        f", {apps} app(s) without tokens" if apps else ""
    )


CHECKS: tuple[tuple[str, Check], ...] = (("drain", _drain),)
