"""An incident that is scripted, so that it is known what there is to be found: `python -m servers.incident`.

Three invented apps log their requests. After a quiet time four things go wrong: a route becomes slow, another
one times out, one dyno fails, and a deploy takes an app down for a moment. The platform says what it knows of
the last two: a dyno that is over its memory, and a release. What was done, when, and to which requests is the
incident's truth: a drill compares with it what a person, or a test, has found out.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import signal
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlencode

from servers.logplex_client import LogplexClient, frame_sizes
from servers.messages import router_line, router_syslog
from servers.platform import Platform
from servers.shop import ROUTES, Route, answer

APPS = ("shop", "blog", "api")
DYNOS = ("web.1", "web.2", "web.3", "web.4")
FRAMES_S = 5
"""Frames a second of each app."""
STEP_S = 10
"""Figures are kept by ten seconds: a fault begins early in one, so that it is clear which is the first."""
CLIENT = "198.51.100.7"
LEAK_MB_S = 6.0
"""It is over its memory by about the time at which it fails."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong with some requests of an app, so many seconds after the incident's first ten
    seconds began."""

    name: str
    app: str
    starts_s: float
    ends_s: float
    share: float
    """Of the requests that it may concern."""
    path: str = ""
    """Of the only route that it concerns, as in servers/shop.py; empty: any."""
    dyno: str = ""
    """The only dyno that it concerns; empty: any."""
    slower: float = 1.0
    """So many times as slow."""
    status: int = 0
    """0: as it would have been."""
    code: str = ""
    service_ms: float | None = None
    has_dyno: bool = True
    """Whether the router had chosen a dyno."""


FAULTS = (
    Fault("slow route", "shop", 41.5, 1e9, 0.9, path="/search?q={word}&sort=price", slower=12),
    Fault("timeouts", "shop", 51.0, 1e9, 0.5, path="/products", status=503, code="H12", service_ms=30_000),
    Fault("bad dyno", "blog", 41.0, 1e9, 0.95, dyno="web.3", status=500),
    Fault("deploy", "api", 51.5, 66.0, 0.8, status=503, code="H10", service_ms=0, has_dyno=False),
)


@dataclass(slots=True)
class Truth:
    """What one fault has done."""

    name: str
    app: str
    path: str
    dyno: str
    first_s: float = 0.0
    """When its first request was logged, Unix s; 0: none yet."""
    last_s: float = 0.0
    requests: list[str] = field(default_factory=list)
    """The ids of all requests that it concerned."""


class Incident:
    """The lines of all apps, and the truth about them. The same seed gives the same requests."""

    def __init__(self, seed: int, started_s: float, faults: Sequence[Fault] = FAULTS) -> None:
        self._random = random.Random(seed)
        self._started_s = started_s // STEP_S * STEP_S
        self._faults = faults
        self._weights = list(itertools.accumulate(route.weight for route in ROUTES))
        self._platforms = {app: self._platform(app, seed) for app in APPS}
        self.truths = {fault.name: Truth(fault.name, fault.app, fault.path, fault.dyno) for fault in faults}

    def _platform(self, app: str, seed: int) -> Platform:
        """With a leak where a dyno fails, and a release where a deploy does."""
        faults = [fault for fault in self._faults if fault.app == app]
        leaks = {fault.dyno: LEAK_MB_S for fault in faults if fault.dyno}
        platform = Platform(seed, self._started_s, formation={"web": len(DYNOS)}, leaks=leaks)
        for fault in faults:
            if fault.name == "deploy":
                platform.release(self._started_s + fault.starts_s, f"Deploy {seed:08x}")
        return platform

    def platform_lines(self, app: str, at_s: float) -> list[bytes]:
        """What the platform has said of an app since the last call."""
        return [said.syslog() for said in self._platforms[app].until(at_s)]

    def lines(self, app: str, count: int, at_s: float) -> Iterator[bytes]:
        """So many router lines of an app, logged at a time (Unix s)."""
        for _ in range(count):
            yield router_syslog(self._line(app, at_s), at_s)

    def _line(self, app: str, at_s: float) -> str:
        rng = self._random
        route = rng.choices(ROUTES, cum_weights=self._weights)[0]
        request_id = uuid.UUID(int=rng.getrandbits(128), version=4)
        dyno = rng.choice(DYNOS)
        found = answer(route, request_id.int)
        values: dict[str, Any] = {
            # Whatever fails here fails because of a fault.
            "status": found.status if found.status < 500 else 200,
            "service_ms": max(1, round(found.service_ms)),
            "dyno": dyno,
        }
        fault = self._fault_of(app, route, dyno, at_s)
        if fault is not None:
            values |= _changed(fault, values)
            truth = self.truths[fault.name]
            truth.first_s = truth.first_s or at_s
            truth.last_s = at_s
            truth.requests.append(str(request_id))
        return router_line(
            self._path(route),
            method=route.method,
            host=f"{app}.example.com",
            request_id=request_id,
            fwd=CLIENT,
            **values,
        )

    def _fault_of(self, app: str, route: Route, dyno: str, at_s: float) -> Fault | None:
        since_s = at_s - self._started_s
        for fault in self._faults:
            if (
                fault.app == app
                and fault.starts_s <= since_s < fault.ends_s
                and fault.path in ("", route.path)
                and fault.dyno in ("", dyno)
                and self._random.random() < fault.share
            ):
                return fault
        return None

    def _path(self, route: Route) -> str:
        number = self._random.randint(1, 9_999)
        names = dict.fromkeys(("page", "word", "tag", "scanned"), "oak")
        return route.path.format(id=number, uuid=uuid.UUID(int=number, version=4), date="2026-11-05", **names)


def _changed(fault: Fault, values: dict[str, Any]) -> dict[str, Any]:
    """What a fault makes of a request."""
    changed: dict[str, Any] = {"service_ms": round(values["service_ms"] * fault.slower)}
    if fault.status:
        changed["status"] = fault.status
    if fault.code:
        changed["code"] = fault.code
    if fault.service_ms is not None:
        changed["service_ms"] = fault.service_ms
    if not fault.has_dyno:
        changed["dyno"] = ""
    return changed


def deliver(url: str, incident: Incident, rate: float, seconds: float) -> int:
    """Posts the incident as Logplex does, requests/s of each app, for so long (0: without an end); how
    many frames were not accepted."""
    clients, refused = clients_of(url), 0
    for count in frame_sizes(rate, FRAMES_S, seconds):
        refused += post(clients, incident, count, time.time())
    for client in clients.values():
        client.close()
    return refused


def clients_of(url: str) -> dict[str, LogplexClient]:
    """A client of each app; close them."""
    return {app: LogplexClient(f"{url}?{urlencode({'app': app})}", f"d.drill-{app}") for app in APPS}


def post(clients: Mapping[str, LogplexClient], incident: Incident, count: int, at_s: float) -> int:
    """A frame of each app with so many requests of a moment; how many frames were not accepted."""
    refused = 0
    for app, client in clients.items():
        lines = [*incident.lines(app, count, at_s), *incident.platform_lines(app, at_s)]
        refused += bool(lines) and not client.deliver(lines).accepted
    return refused


def write_truth(incident: Incident, file: Path) -> None:
    """As JSON: a list of Truth."""
    file.write_text(json.dumps([asdict(truth) for truth in incident.truths.values()]), "utf-8")


def main(argv: Sequence[str]) -> int:
    """Exit code: 0 when all frames were accepted, 1 when some were not."""
    parser = argparse.ArgumentParser(
        prog="python -m servers.incident", description="Posts a scripted incident of three apps to a drain."
    )
    parser.add_argument("--url-from", metavar="NAME", required=True, help="variable with the drain's URL")
    parser.add_argument("--truth", type=Path, required=True, help="file to write at the end: what was done")
    parser.add_argument("--rate", type=float, default=40, help="requests a second of each app (default 40)")
    parser.add_argument("--seconds", type=float, default=0, help="stop after this long (default: never)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same requests")
    args = parser.parse_args(argv)
    incident = Incident(args.seed, time.time())

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    refused = 0
    try:
        refused = deliver(os.environ[args.url_from], incident, args.rate, args.seconds)
    except KeyboardInterrupt:
        pass
    finally:
        write_truth(incident, args.truth)
    if refused:
        print(f"{refused} frames were not accepted", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
