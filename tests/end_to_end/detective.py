"""Finds out what is wrong with an app as a person on call would: by the API and the command line alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import requests

from app.timespec import iso
from servers.processes import ROOT

STEP_S = 10
QUIET_STEPS = 3
"""The first steps of what is looked at, in which nothing was wrong yet."""

ERRORS_MIN = 3
ERROR_RATE_MIN = 0.05
SLOWER = 4.0
REQUESTS_MIN = 5
EVERYWHERE = 5
"""So many routes that fail at a time have one cause."""
STANDS_OUT = 0.9
IDS = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """What one trouble is; `route` and `dyno` are empty where none stands out."""

    app: str
    route: str
    is_slow: bool
    dyno: str
    first_s: int
    """The first bad ten seconds."""
    sampled: frozenset[str]
    """Request ids, from the API."""
    searched: frozenset[str]
    """Request ids, from the command line."""


@dataclass(slots=True)
class Detective:
    """Asks a running installation about a stretch of time (Unix s)."""

    address: str
    environ: Mapping[str, str]
    from_s: int
    until_s: int

    def apps(self) -> list[str]:
        return [row["app"] for row in self._get("overview")["apps"]]

    def findings(self, app: str) -> list[Finding]:
        """Everything that is wrong with an app."""
        routes = {row["route"]: row["digest"] for row in self._get("routes", app=app)["routes"]}
        failing = {name: at for name in routes if (at := self._first_failing(app, routes[name]))}
        slow = {name: at for name in routes if (at := self._first_slow(app, routes[name]))}
        if len(failing) >= EVERYWHERE:
            return [self._finding(app, "", "all", min(failing.values()), is_slow=False)]
        return [
            *(self._finding(app, name, routes[name], at, is_slow=False) for name, at in failing.items()),
            *(
                self._finding(app, name, routes[name], at, is_slow=True)
                for name, at in slow.items()
                if name not in failing
            ),
        ]

    def _steps(self, app: str, digest: str, column: str) -> Iterator[tuple[int, float, float]]:
        """(start, requests, value) of each ten seconds."""
        found = self._get("series", app=app, route=digest, step=f"{STEP_S}s")
        assert found["step_s"] == STEP_S
        for at_s, rate, value in zip(found["times"], found["requests_per_s"], found[column], strict=True):
            yield at_s, (rate or 0) * STEP_S, value or 0

    def _first_failing(self, app: str, digest: str) -> int | None:
        steps = self._steps(app, digest, "error_rate")
        bad = [
            at_s for at_s, count, rate in steps if rate > ERROR_RATE_MIN and rate * count > ERRORS_MIN - 0.5
        ]
        return bad[0] if bad else None

    def _first_slow(self, app: str, digest: str) -> int | None:
        steps = list(self._steps(app, digest, "service_p95"))
        usual_ms = max((p95 for _, _, p95 in steps[:QUIET_STEPS]), default=0)
        bad = [
            at_s for at_s, count, p95 in steps if count >= REQUESTS_MIN and p95 > SLOWER * max(usual_ms, 1)
        ]
        return bad[0] if bad else None

    def _finding(self, app: str, route: str, digest: str, first_s: int, *, is_slow: bool) -> Finding:
        dyno = "" if is_slow else self._dyno(app, route, first_s)
        samples = self._get("samples", first_s, app=app, route=digest)["slowest" if is_slow else "failed"]
        sampled = [found["request_id"] for found in samples if found["at_ms"] >= first_s * 1000]
        which = ["--slower-than", "1s"] if is_slow else ["--failed"]
        if dyno:
            which += ["--dyno", dyno]
        searched = self._requests(app, route, first_s, *which, "--limit", str(IDS))
        return Finding(
            app,
            route,
            is_slow,
            dyno,
            first_s,
            frozenset(sampled[:IDS]),
            frozenset(found["request_id"] for found in searched),
        )

    def _dyno(self, app: str, route: str, since_s: int) -> str:
        """The dyno that nearly all errors come from: of an app by its windows, of a route by the log."""
        if route:
            found = self._requests(app, route, since_s, "--failed", "--group-by", "dyno")
            errors = {group["dyno"]: group["errors"] for group in found}
        else:
            rows = self._get("dynos", since_s, app=app)["rows"]
            errors = {row["name"]: row["figures"]["errors"] for row in rows}
        total = sum(errors.values())
        return next((name for name, count in errors.items() if name and count > STANDS_OUT * total), "")

    def _get(self, what: str, from_s: int = 0, **query: str) -> Any:
        span = {"from": str(from_s or self.from_s), "to": str(self.until_s)}
        response = requests.get(f"{self.address}/api/{what}?{urlencode({**span, **query})}", timeout=20)
        assert response.status_code == 200, response.text
        return response.json()

    def _requests(self, app: str, route: str, since_s: int, *flags: str) -> list[Any]:
        """What `python -m app requests --json` prints."""
        command = [sys.executable, "-m", "app", "requests", "--app", app, "--json"]
        command += ["--route", route] if route else []
        command += ["--from", iso(since_s * 1000), "--until", iso(self.until_s * 1000), *flags]
        done = subprocess.run(
            command, env=dict(self.environ), cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]
