"""Families of requests: of apps, their busiest routes, dynos and hosts. All count since the first request."""

from __future__ import annotations

from dataclasses import dataclass

from drain.monitoring.family import CounterFamily, Family, HistogramFamily


@dataclass(frozen=True, slots=True)
class NameFamilies:
    """What is counted of whatever has a name."""

    requests: CounterFamily
    failed: CounterFamily
    aborted: CounterFamily
    service: HistogramFamily

    @property
    def all(self) -> tuple[Family, ...]:
        """In the order of a scrape."""
        return (self.requests, self.failed, self.aborted, self.service)


@dataclass(frozen=True, slots=True)
class RowFamilies:
    """What apps and routes have alike."""

    named: NameFamilies
    connections: CounterFamily
    responses: CounterFamily
    codes: CounterFamily
    bytes: CounterFamily

    @property
    def all(self) -> tuple[Family, ...]:
        """In the order of a scrape."""
        *counters, service = self.named.all
        return (*counters, self.connections, self.responses, self.codes, self.bytes, service)


def _of_names(what: str, labels: tuple[str, ...]) -> NameFamilies:
    name = f"tailrace_{what}"
    return NameFamilies(
        requests=CounterFamily(f"{name}_requests", "Requests counted", labels),
        failed=CounterFamily(
            f"{name}_failed_requests",
            "Requests answered with 5xx, or with at=error from the router",
            labels,
        ),
        aborted=CounterFamily(
            f"{name}_aborted_requests",
            "Requests whose client went away: status 499, or code H27 or H28",
            labels,
        ),
        service=HistogramFamily(f"{name}_service_seconds", "Time in the dyno, without connections", labels),
    )


def _of_rows(what: str, labels: tuple[str, ...]) -> RowFamilies:
    name = f"tailrace_{what}"
    return RowFamilies(
        named=_of_names(what, labels),
        connections=CounterFamily(
            f"{name}_connections", "Requests that became connections, such as websockets", labels
        ),
        responses=CounterFamily(f"{name}_responses", "Requests by status class", (*labels, "class")),
        codes=CounterFamily(f"{name}_router_errors", "Requests by H-code of the router", (*labels, "code")),
        bytes=CounterFamily(f"{name}_bytes", "Bytes of responses", labels),
    )


APP = _of_rows("app", ("app",))
APP_CONNECT = HistogramFamily(
    "tailrace_app_connect_seconds", "Time to connect to the dyno, without connections", ("app",)
)
APP_LIFETIME = HistogramFamily("tailrace_app_connection_seconds", "How long connections were open", ("app",))
ROUTE = _of_rows("route", ("app", "route"))
DYNO = _of_names("dyno", ("app", "dyno"))
HOST = _of_names("host", ("app", "host"))

FAMILIES: tuple[Family, ...] = (*APP.all, APP_CONNECT, APP_LIFETIME, *ROUTE.all, *DYNO.all, *HOST.all)
