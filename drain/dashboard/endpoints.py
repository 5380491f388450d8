"""Every endpoint of the API that answers GET: its path, what it answers, and how long that is kept."""

from __future__ import annotations

from functools import partial

from app.router_line import H_CODES
from app.store import queries
from drain.dashboard import finders, openapi
from drain.dashboard.endpoint import Endpoint
from drain.dashboard.json_answers import plain, stamped
from drain.dashboard.platform_csv import dynos_attachment, events_attachment
from drain.dashboard.silences import ACTIONS
from drain.dashboard.table_csv import series_attachment, table_attachment

HEALTH_FRESH_S = 2.0
REPLAY_FRESH_S = 2.0
MEMORY_FRESH_S = 60.0
"""Sizes change slowly, and asking for them costs Redis more than figures do."""
COMPARE_FRESH_S = 10.0
CONSTANT_FRESH_S = 3_600.0

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "/api/apps",
        "All apps seen so far, busiest first",
        openapi.stamped("Apps"),
        lambda source, parameters, now_s: queries.apps(source.store),
        stamped,
        fresh_s=HEALTH_FRESH_S,
    ),
    Endpoint(
        "/api/codes",
        "What the router's H-codes mean",
        {"type": "object", "additionalProperties": {"type": "string"}},
        lambda source, parameters, now_s: H_CODES,
        plain,
        fresh_s=CONSTANT_FRESH_S,
    ),
    Endpoint(
        "/api/routes",
        "The routes of an app in a window, busiest first",
        openapi.stamped("RoutesTable"),
        finders.routes,
        stamped,
        ("app", "window", "from", "to", "compare", "by"),
    ),
    Endpoint(
        "/api/routes.csv",
        "The same table as CSV; cells that a spreadsheet might execute begin with a quote",
        {"type": "string"},
        finders.routes,
        table_attachment,
        ("app", "window", "from", "to", "compare", "by"),
        mimetype="text/csv",
    ),
    Endpoint(
        "/api/routes/{digest}",
        "One route, with histograms of its times",
        openapi.stamped("RouteDetail"),
        finders.route,
        stamped,
        ("digest", "app", "window", "from", "to", "compare"),
        can_be_missing=True,
    ),
    Endpoint(
        "/api/series",
        "Time series of an app or route",
        openapi.stamped("Series"),
        finders.series,
        stamped,
        ("app", "series_window", "from", "to", "step", "route"),
    ),
    Endpoint(
        "/api/series.csv",
        "The same series as CSV; times are ISO 8601 in UTC",
        {"type": "string"},
        finders.series,
        series_attachment,
        ("app", "series_window", "from", "to", "step", "route"),
        mimetype="text/csv",
    ),
    Endpoint(
        "/api/samples",
        "Single requests of a route: the slowest, and the latest that failed",
        openapi.stamped("Samples"),
        finders.samples,
        stamped,
        ("app", "window", "from", "to", "route"),
    ),
    Endpoint(
        "/api/breakdown",
        "A route by dyno, method, status and code, from as much of the log as can be read in a second",
        openapi.stamped("Breakdown"),
        finders.breakdown,
        stamped,
        ("app", "window", "from", "to", "route"),
        can_be_missing=True,
    ),
    Endpoint(
        "/api/dynos",
        "The dynos of an app in a window: requests, state, memory, load, restarts",
        openapi.stamped("DynosTable"),
        finders.dynos,
        stamped,
        ("app", "window", "from", "to"),
    ),
    Endpoint(
        "/api/dynos.csv",
        "The same table as CSV; what the platform has not said is empty",
        {"type": "string"},
        finders.dynos,
        dynos_attachment,
        ("app", "window", "from", "to"),
        mimetype="text/csv",
    ),
    Endpoint(
        "/api/compare",
        "Before and after a release, or two spans side by side: what is better, worse, or not known",
        openapi.stamped("Comparison"),
        finders.compare,
        stamped,
        ("app", "release", "length", "from", "to", "with_from", "with_to"),
        fresh_s=COMPARE_FRESH_S,
    ),
    Endpoint(
        "/api/events",
        "Releases, and what else the platform said in a window, newest first",
        openapi.stamped("Events"),
        finders.events,
        stamped,
        ("app", "window", "from", "to"),
    ),
    Endpoint(
        "/api/events.csv",
        "The same events as CSV, releases among them; times are ISO 8601 in UTC",
        {"type": "string"},
        finders.events,
        events_attachment,
        ("app", "window", "from", "to"),
        mimetype="text/csv",
    ),
    Endpoint(
        "/api/addons",
        "The add-ons of an app in a window, by what they log of themselves",
        openapi.stamped("Addons"),
        finders.addons,
        stamped,
        ("app", "window", "from", "to"),
    ),
    Endpoint(
        "/api/hosts",
        "The hosts of an app in a window, busiest first",
        openapi.stamped("NamesTable"),
        partial(finders.names, "hosts"),
        stamped,
        ("app", "window", "from", "to"),
    ),
    Endpoint(
        "/api/overview",
        "All apps side by side in a window, busiest first",
        openapi.stamped("Overview"),
        finders.overview,
        stamped,
        ("window", "from", "to", "compare"),
    ),
    Endpoint(
        "/api/alerts",
        "Rules and their states, incidents that go on and past ones, silences, targets, budgets",
        openapi.stamped("AlertsView"),
        finders.alerts,
        stamped,
        ("app", "window", "from", "to"),
        fresh_s=HEALTH_FRESH_S,
    ),
    Endpoint(
        "/api/health",
        "Losses, workers, the log and dead letters, and the alerts that follow from them",
        openapi.health(),
        finders.health,
        stamped,
        fresh_s=HEALTH_FRESH_S,
    ),
    Endpoint(
        "/api/memory",
        "What uses Redis's memory, largest part first",
        openapi.stamped("Memory"),
        finders.memory,
        stamped,
        fresh_s=MEMORY_FRESH_S,
    ),
    Endpoint(
        "/api/replay",
        "The replay runs that are kept, latest first",
        openapi.stamped("Runs"),
        lambda source, parameters, now_s: queries.replay_runs(source.store),
        stamped,
        fresh_s=REPLAY_FRESH_S,
    ),
    Endpoint(
        "/api/replay/{run}",
        "One replay run: original and replayed side by side, route by route",
        openapi.stamped("ReplayRun"),
        finders.run,
        stamped,
        ("run",),
        fresh_s=REPLAY_FRESH_S,
        can_be_missing=True,
    ),
    Endpoint(
        "/api/openapi.json",
        "This document",
        {"type": "object"},
        lambda source, parameters, now_s: openapi.document(ENDPOINTS, ACTIONS),
        plain,
        fresh_s=CONSTANT_FRESH_S,
    ),
)
"""Every path of the API, but for silences.ACTIONS. openapi.py makes the document from both."""
