"""The panels of the dashboard, row by row."""

from __future__ import annotations

from drain.monitoring.exports.panel import (
    INTERVAL,
    SHARE,
    Panel,
    Query,
    Row,
    counted,
    counted_by_web,
    gauge,
    number,
    of_web,
    percentiles,
    ratio,
    share,
)
from drain.monitoring.exports.promql import mean, rate
from drain.monitoring.families import alerts, health, intake, platform, requests

APP = 'app=~"$app"'
ROUTE = 'app=~"$app",route=~"$route"'
METRICS = 'group="metrics"'

_APPS, _ROUTES = requests.APP, requests.ROUTE
_BY_ROUTE, _BY_DYNO = ("app", "route"), ("app", "dyno")


def rows() -> tuple[Row, ...]:
    """From the apps down to Tailrace itself."""
    return (_now(), _requests(), _busiest(), _dynos(), _addons(), _alerts(), _arrivals(), _workers())


def _now() -> Row:
    named = _APPS.named
    asked, failed, aborted = (
        f"sum({mean(rate(family.total, INTERVAL, APP))})"
        for family in (named.requests, named.failed, named.aborted)
    )
    buckets = f"sum by (le) ({mean(rate(named.service.bucket, INTERVAL, APP))})"
    lag, workers = (
        f"max({family.name}{{{METRICS}}})" for family in (health.GROUP_LAG_S, health.GROUP_WORKERS)
    )
    known = " >= 0"  # With no requests the value is NaN; the panel stays empty then, and is not green.
    labels = "alertname, severity, app, route, dyno, code, group, kind, target"
    firing = f'max by ({labels}) (ALERTS{{alertname=~"Tailrace.*",alertstate="firing"}})'
    return Row(
        "Now",
        (
            number("Requests", asked, named.requests, "reqps"),
            number("Errors", f"{failed} / {asked}{known}", named.failed, SHARE, red_from=0.02),
            number("Aborted", f"{aborted} / {asked}{known}", named.aborted, SHARE, red_from=0.05),
            number("p95", f"histogram_quantile(0.95, {buckets}){known}", named.service, "s"),
            number("Lag", lag, health.GROUP_LAG_S, "s", red_from=30),
            number("Workers", workers, health.GROUP_WORKERS, "short", red_below=1),
            Panel(
                "Alerts that fire",
                (Query(firing),),
                help="Those of deploy/prometheus/rules.yml",
                kind="table",
                width=24,
            ),
        ),
    )


def _requests() -> Row:
    named = _APPS.named
    return Row(
        "Requests",
        (
            counted("Requests by app", named.requests, ("app",), APP),
            share("Errors by app", named.failed, named.requests, ("app",), APP),
            percentiles("Time in the dyno", named.service, APP, (50, 95, 99)),
            counted("Requests by status class", _APPS.responses, ("class",), APP, is_stacked=True),
            counted("Router errors", _APPS.codes, ("code",), APP, is_stacked=True),
            share("Aborted by app", named.aborted, named.requests, ("app",), APP),
            percentiles("p95 by app", named.service, APP, (95,), ("app",)),
            percentiles("Time to connect", requests.APP_CONNECT, APP, (50, 95)),
            counted("Bytes", _APPS.bytes, ("app",), APP, is_stacked=True),
            counted("Connections", _APPS.connections, ("app",), APP),
            percentiles("Lifetime of connections", requests.APP_LIFETIME, APP, (50, 95)),
            percentiles("p95 by host", requests.HOST.service, APP, (95,), ("app", "host")),
        ),
    )


def _busiest() -> Row:
    named = _ROUTES.named
    return Row(
        "The busiest routes",
        (
            counted("Requests by route", named.requests, _BY_ROUTE, ROUTE),
            share("Errors by route", named.failed, named.requests, _BY_ROUTE, ROUTE),
            percentiles("p95 by route", named.service, ROUTE, (95,), _BY_ROUTE),
            counted("Status classes of these routes", _ROUTES.responses, ("class",), ROUTE, is_stacked=True),
            counted("Router errors of these routes", _ROUTES.codes, ("code",), ROUTE, is_stacked=True),
            share("Aborted by route", named.aborted, named.requests, _BY_ROUTE, ROUTE),
        ),
    )


def _dynos() -> Row:
    named = requests.DYNO
    return Row(
        "Dynos",
        (
            ratio("Memory by quota", platform.DYNO_MEMORY, platform.DYNO_QUOTA, _BY_DYNO, APP),
            gauge("Swap", platform.DYNO_SWAP, _BY_DYNO, APP),
            gauge("Load of a minute", platform.DYNO_LOAD_1M, _BY_DYNO, APP),
            share("Errors by dyno", named.failed, named.requests, _BY_DYNO, APP),
            percentiles("p95 by dyno", named.service, APP, (95,), _BY_DYNO),
            counted("Requests by dyno", named.requests, _BY_DYNO, APP),
            gauge("Restarts", platform.DYNO_RESTARTS, _BY_DYNO, APP),
            gauge("Crashes", platform.DYNO_CRASHES, _BY_DYNO, APP),
            gauge("R14 and R15", platform.DYNO_MEMORY_ERRORS, (*_BY_DYNO, "code"), APP),
        ),
    )


def _addons() -> Row:
    # What add-ons log has many units, so it is a table, not a plot.
    labels = ("app", "source", "addon", "measure", "unit")
    family = platform.ADDON_SAMPLE
    expr = f"max by ({', '.join(labels)}) ({family.name}{{{APP}}})"
    release = f"max by (app, version, commit) ({platform.RELEASE_INFO.name}{{{APP}}})"
    at = f"max by (app) ({platform.RELEASE_AT.name}{{{APP}}}) * 1000"
    joined = f"{release} * on (app) group_left () {at}"
    return Row(
        "Releases and add-ons",
        (
            Panel(
                "Latest release",
                (Query(joined),),
                "dateTimeFromNow",
                platform.RELEASE_INFO.help,
                kind="table",
                width=10,
            ),
            Panel("Add-ons", (Query(expr),), help=family.help, kind="table", width=14),
        ),
    )


def _alerts() -> Row:
    """Those that Tailrace sends itself; what fires by Prometheus's rules is on top."""
    judged = f"time() - max by (job) ({alerts.EVALUATED_AT.name})"
    return Row(
        "Tailrace's own alerts",
        (
            gauge("Firing", alerts.FIRING, ("rule", "app"), APP),
            gauge("Pending", alerts.PENDING, ("rule", "app"), APP),
            Panel("Since rules were judged", (Query(judged, "{{job}}"),), "s", alerts.EVALUATED_AT.help),
            gauge("Messages that wait", alerts.WAITING, ("target",)),
            counted("Messages given up", alerts.GIVEN_UP, ("target",)),
            gauge("Figures complete", alerts.COMPLETE, ("job",)),
        ),
    )


def _arrivals() -> Row:
    return Row(
        "What arrives at Tailrace",
        (
            counted_by_web("Answers to senders", intake.ANSWERS, ("status",)),
            counted_by_web("Messages", intake.MESSAGES, ("job",)),
            of_web("Time until the log has a frame", intake.APPEND_S, (50, 99)),
            counted("Lost on the way", health.LOSSES, ("app",), APP),
            counted("Refused, and flaws", health.SENDER_FAULTS, ("kind", "sender")),
            counted("Reports of senders", health.SENDER_REPORTS, ("app", "code"), APP),
        ),
    )


def _workers() -> Row:
    return Row(
        "Tailrace's workers, log and Redis",
        (
            gauge("Lag by group", health.GROUP_LAG_S, ("group",)),
            gauge("Workers by group", health.GROUP_WORKERS, ("group",)),
            gauge("Workers that wait", health.GROUP_WAITING, ("group",)),
            counted("What groups did", health.GROUP_MESSAGES, ("group", "what")),
            ratio("Log by its limit", health.LOG_BYTES, health.LOG_LIMIT, ("job",)),
            ratio("Redis by its limit", health.REDIS_MEMORY, health.REDIS_LIMIT, ("job",)),
            counted("Refused because the log is full", health.LOG_FULL, ("group",)),
            counted("Dropped unread", health.LOG_LOST, ("group",)),
            gauge("Dead letters", health.DEAD_LETTERS, ("job",)),
        ),
    )
