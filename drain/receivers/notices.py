"""Notices: what Logplex and log-shuttle report in messages of their own. Pure."""

from __future__ import annotations

import re

from drain.receivers.frame import Notice

NOTICE_MAX = 1_000_000_000
"""The most messages that one notice can report: a drain that loses 10,000 a second loses as many in a day,
and Logplex reports far sooner. A larger number is nonsense, and sums of such numbers would overflow."""

# heroku/logplex, logplex_syslog_utils.erl, `overflow_msg`; heroku/log-shuttle, logplex_formatter.go,
# `NewLogplexErrorFormatter`; the form that names a drain is what Heroku's Logplex sends today.
_LOSS = re.compile(
    r"Error (L[0-9]{1,3})(?: \([^)]*\))?: "
    r"(?:drain '([^']*)' (?:dropped|lost) ([0-9]{1,15}) messages?"
    r"|([0-9]{1,15}) messages? (?:dropped|lost))"
    r"(?: since ([0-9TZtz:+. -]*[0-9Zz]))?",
    re.IGNORECASE,
)
# logplex_message.erl, `process_error`: `Error L14 (certificate validation): error="bad cert..." uri="..."`;
# logplex_api.erl: `Error L11 (Tail buffer overflow) -> This tail session dropped ...`. No source shows L15.
_ERROR = re.compile(r"Error (L[0-9]{1,3})(?: \([^)]*\))?(?=:|\.| ->|\s*\Z)", re.IGNORECASE)


def parse_notice(text: str, source: str, index: int, timestamp: str, host: str) -> Notice | None:
    """The notice in the text of a message; None for another message of the same sender."""
    receiving = host if host.startswith("d.") else ""
    if loss := _LOSS.match(text):
        code, drain, dropped_of_drain, dropped, since = loss.groups("")
        count = min(int(dropped_of_drain or dropped), NOTICE_MAX)
        return Notice(index, code.upper(), count, since, source, drain, timestamp, receiving)
    if error := _ERROR.match(text):
        return Notice(index, error[1].upper(), None, "", source, "", timestamp, receiving)
    return None
