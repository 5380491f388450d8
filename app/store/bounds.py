"""How much of each kind Redis keeps, on one page: whatever a sender can invent is bounded here.

A name beyond its bound, or of another form than the field's, counts under `(other)`. Routes have a
setting, ROUTES_MAX. Dead letters and the markers of frame events are bounded in bytes: see their modules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.router_line import H_CODES

OTHER = "(other)"

NOT_FOUND = "(not found)"
"""The row of all paths that have only ever had answers of NOT_FOUND_STATUSES: they are no routes yet."""

NOT_FOUND_STATUSES = frozenset({"400", "403", "404", "405", "410"})

PATHS_MAX = 100
"""Most frequent paths remembered of a row that stands for many, such as `(other)`."""

APPS_MAX = 1_000
"""Apps with figures of their own. DRAIN_TOKENS names them; on Kafka anyone may write to the topic."""

NAMES_MAX = 200
"""Dynos, and hosts, kept by name per route, and per app with figures of their own."""

NAMES_KEPT_S = 86_400
"""How long the windows of a dyno or host are kept."""

NAMES_SILENT_S = 3_600
"""A dyno or host of an app that was not seen for so long gives way to a new one, if there are NAMES_MAX. A
day would be too long: where each deploy brings new names, those that run now must have figures."""

NAMES_SENT_MAX = 1_000
"""Dynos, and hosts, of one route that a batch hands to Redis by name: what a step costs is bounded too."""

ONE_OFFS_MAX = 50
ONE_OFFS_SILENT_S = 600
"""The same of one-off dynos, which have a table of their own: they come without end and live for minutes, so
they must neither take the place of those of the formation, nor wait for an hour to give way."""

EVENTS_KEPT_S = 31 * 86_400
"""How long events are kept, unless there are many: as long as the longest windows."""

EVENTS_MAX_BYTES = {"releases": 400_000, "actions": 200_000, "dynos": 1_100_000}
"""What each table of events of an app takes in Redis at most: 1.7 MB in all, if it has so many. About 600
releases with what explains them fit, and 3,400 events of dynos: a day of 20 dynos that all exceed their
memory takes 1.03 MB."""

EVENT_TEXT_MAX_BYTES = 800
EVENT_NAMES_MAX_BYTES = 1_500
"""Config vars and the like of one event, all together: the first ones are kept."""

PROCESSES_MAX = 50
ADDONS_MAX = 20
MEASURES_MAX = 40
"""Process types and add-ons of an app; measures of an add-on. A Postgres add-on logs some 25 of them."""

RARELY_SILENT_S = 86_400
"""A process type or an add-on that was not seen for so long gives way."""

CODES_MAX = 100
"""H-codes kept by name for all apps together. Those that Heroku documents always have a name."""

DYNO_MAX_CHARS = 64

EVENT_TEXT_MAX_CHARS = 200
EVENT_NAMES_MAX = 20
"""Config vars, or process types, that an event keeps by name."""

NAME_MAX_CHARS = 64
"""Of a config var, an add-on, a sample, a unit."""

SAMPLES_MAX = 64
"""Values of one line. Heroku Postgres sends about 25."""

ALERTS_KEPT_S = 31 * 86_400
ALERT_HISTORY_MAX = 1_000
ALERT_HISTORY_MAX_BYTES = 4_000_000
"""Incidents that ended: how long, how many and how much of them is kept. A usual one takes 2 KB."""

ALERTS_OF_INCIDENT_MAX = 20
"""Alerts of an incident that the history keeps, the worst first: a route of its own each, without end."""

ALERT_OUTBOX_MAX = 500
"""Messages that wait for targets, each counted once for each of its targets. Beyond it, repeats are given up
first, and the oldest of them first."""

ALERT_FINDINGS_MAX = 20
"""Findings that a message has when it is stored."""

ALERT_TARGETS_MAX = 100
"""Targets of which it is kept how deliveries to them went: the settings name them, and change."""

SILENCES_MAX = 200
SILENCE_MAX_S = 31 * 86_400

METHODS = frozenset(
    [
        *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "PURGE"),
        *("PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH"),
    ]
)
"""Counted by name."""

DOCUMENTED_CODES = frozenset(H_CODES)

STATUS = re.compile(r"[1-9][0-9]{2}")
CODE = re.compile(r"[A-Z][0-9]{1,3}")
APP = re.compile(r"[A-Za-z0-9_-]{1,64}")


NAMES_READ_MAX = 1_000
"""Statuses, and codes, that a reader takes by name: a Redis that was filled by a version without these
bounds must not fill the page, or `web`'s memory, as well."""


def most_counted(counts: Mapping[str, int], most: int = NAMES_READ_MAX) -> dict[str, int]:
    """The most frequent names, and the others together."""
    if len(counts) <= most:
        return dict(counts)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = dict(ranked[:most])
    kept[OTHER] = kept.get(OTHER, 0) + sum(count for _, count in ranked[most:])
    return kept
