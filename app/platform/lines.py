"""Reads one message of the platform into a fact.

Who speaks is in the header: the API about the app (procid `api`, app-name `app`, until 2016 `heroku`), the
platform about a dyno (app-name `heroku`, procid `web.1`), an add-on (procid `heroku-postgres`). What an
app's own processes write (app-name `app`, procid `web.1`) is never read: they could write anything.
"""

from __future__ import annotations

from app.message import RECEIVED_MAX_MS, RouterMessage
from app.platform.app_sentences import addon_event, app_event, build_event
from app.platform.dyno_sentences import dyno_fact
from app.platform.dynos import process_type
from app.platform.facts import Fact
from app.platform.sample_lines import addon_samples, dyno_samples
from app.router_line import timestamp_ms

LINE_MAX_CHARS = 10_000
"""The rest of a line is not read. Logplex splits lines of dynos at 10,000 bytes (devcenter.heroku.com,
logging), and the platform's own are much shorter."""

ADDON_PREFIX = "heroku-"
"""Of the procids of Heroku's own add-ons: heroku-postgres, heroku-redis, heroku-pgbouncer, heroku-kafka."""

_COMPILERS = frozenset({"slug-compiler", "slugc"})


def parse(message: RouterMessage) -> Fact | None:
    """The fact; None where the message says nothing that is kept. Never raises."""
    line = message["msg"]
    procid = message.get("procid")
    if type(procid) is not str:  # Anybody may write to the topic.
        return None
    if len(line) > LINE_MAX_CHARS:
        line = line[:LINE_MAX_CHARS]
    if procid == "api":
        return app_event(line, _at_ms(message))
    if message.get("app_name") == "heroku":
        if procid not in _COMPILERS and process_type(procid):
            if "sample#" in line:
                return dyno_samples(procid, line, _at_ms(message))
            return dyno_fact(procid, line, _at_ms(message))
        if procid in _COMPILERS:
            return build_event(line, _at_ms(message))
    if "sample#" in line and (procid.startswith(ADDON_PREFIX) or " addon=" in line):
        return addon_samples(procid, line, _at_ms(message))
    return addon_event(line, _at_ms(message)) if procid.startswith(ADDON_PREFIX) else None


def _at_ms(message: RouterMessage) -> int:
    """When the platform logged it; when it was received, if it does not say a time that can be."""
    at_ms = timestamp_ms(message["timestamp"])
    return message["received_at"] if at_ms is None or not 0 <= at_ms < RECEIVED_MAX_MS else at_ms
