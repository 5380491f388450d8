"""From a request of the log to a job of the senders, or to a reason why it is not sent.

The live worker and the window replay differ in where requests come from and in what is done with
the outcomes; what may be sent, how and when is decided here, for both.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import redis

from app.errors import TailraceError
from app.loop_guard import is_replayed
from app.settings import Settings
from app.sketch import bucket
from app.store.keys import ALL_ROUTES, total
from app.store.replay import Figures
from consumers.replay.headers import HeaderOptions, replay_headers
from consumers.replay.pace import is_chosen
from consumers.replay.request import Outcome, Request
from consumers.replay.rules import Rules
from consumers.replay.senders import Job
from consumers.replay.target import RefusedPath, Target, request_target

SAFE_METHODS = frozenset({"GET", "HEAD"})
HOSTS = total("", ALL_ROUTES, ":hosts")
"""Hash: the hosts of all lines that were counted."""


class SameHost(TailraceError):
    """The target is the host that the lines come from: a replay would feed on itself."""


@dataclass(frozen=True, slots=True)
class ReplayPolicy:
    """What of the log is sent, whatever the target."""

    rules: Rules
    sample: float
    headers: HeaderOptions
    allow_same_host: bool


def policy_from_settings(settings: Settings, environ: Mapping[str, str]) -> ReplayPolicy:
    """The choice that the settings make. Raises BadSettings for rules that are none."""
    return ReplayPolicy(
        rules=Rules(settings.replay_rules, environ, settings.replay_methods),
        sample=settings.replay_sample,
        headers=HeaderOptions(
            host=settings.replay_host_header,
            user_agent=settings.replay_user_agent,
            forwarded=settings.replay_forwarded,
        ),
        allow_same_host=settings.replay_allow_same_host,
    )


def unsafe_methods(methods: Sequence[str]) -> str:
    """Those of which one must be warned before they are sent; empty where there are none."""
    return ", ".join(sorted(set(methods) - SAFE_METHODS))


def check_known_hosts(store: redis.Redis, target: Target, choice: ReplayPolicy) -> None:
    """Raises SameHost where the target is a host that was seen in the lines before."""
    try:
        known = cast(list[bytes], store.hkeys(HOSTS))
    except redis.RedisError:
        return  # Redis is waited for later; each line is checked as well.
    for host in known:
        check_not_same_host(target, host.decode("utf-8", "replace"), choice)


def check_not_same_host(target: Target, host: str, choice: ReplayPolicy, host_header: str = "") -> None:
    """Raises SameHost where a line's host is the target's, or that of the Host header that is sent:
    a router that many apps share goes by the header, whatever the address."""
    if choice.allow_same_host:
        return
    for ours, what in (
        (target.host, "The target"),
        (host_header or choice.headers.host, "The Host header (REPLAY_HOST_HEADER, or a rule's)"),
    ):
        if ours and _name(ours) == _name(host):
            raise SameHost(
                f"{what} is {ours}, the host that these lines come from: a replay would meet its own "
                "traffic. Point it at another host, or set REPLAY_ALLOW_SAME_HOST=1"
            )


def _name(host: str) -> str:
    """A host without port, brackets, and the dot of DNS's root."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    name = host.partition(":")[0] if host.count(":") == 1 else host
    return name.rstrip(".").lower()


def prepare(request: Request, target: Target, choice: ReplayPolicy) -> Job | str:
    """The job, or the reason why this request is not sent: `replayed`, `method`, `rule`, `sample`,
    `rewrite-limit` or `refused-path`. Raises SameHost."""
    if is_replayed(request.request_id):
        return "replayed"
    check_not_same_host(target, request.host, choice)
    if not is_chosen(request.request_id or request.path, choice.sample):
        return "sample"
    decision = choice.rules.decide(request)
    if not decision.allowed:
        return decision.reason
    try:
        wire_target = request_target(decision.path)
    except RefusedPath:
        return "refused-path"
    replaced = {name.lower() for name, _ in decision.set_headers} | decision.remove_headers
    headers = [
        (name, value)
        for name, value in replay_headers(request, target, choice.headers)
        # The guard against loops is not a rule's to remove.
        if name.lower() not in replaced or name.lower() == "x-request-id"
    ]
    for name, value in decision.set_headers:
        if name.lower() == "host":
            check_not_same_host(target, request.host, choice, value)
        if name.lower() != "x-request-id":
            headers.append((name, value))
    return Job(request, wire_target, headers)


class ReplayStats:
    """Adds up what happens, from any thread; `take` hands it over and starts anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._figures = Figures()
        self.handled = 0
        """Requests, sent or not."""
        self.at_ms = 0
        """The latest of them, in its own time (Unix ms)."""

    def _handle(self, request: Request | None) -> None:
        self.handled += 1
        if request is not None and request.at_ms > self.at_ms:
            self.at_ms = request.at_ms

    def done(self, request: Request, outcome: Outcome, late_ms: float) -> None:
        with self._lock:
            self._handle(request)
            route = self._figures.of(request.route)
            route.add(outcome.kind, outcome.status, outcome.latency_ms, request.status, request.service_ms)
            self._figures.late_ms[bucket(max(0.0, late_ms))] += 1

    def compared(self, request: Request, before: Outcome, after: Outcome, late_ms: float) -> None:
        """One request that went to two targets: `before` stands where the original would."""
        with self._lock:
            self._handle(request)
            route = self._figures.of(request.route)
            before_ms = before.latency_ms if before.kind == "answered" else None
            route.add(after.kind, after.status, after.latency_ms, before.status, before_ms)
            if before_ms is None:
                route.kinds[f"baseline-{before.kind}"] += 1
            self._figures.late_ms[bucket(max(0.0, late_ms))] += 1

    def skipped(self, request: Request | None, reason: str) -> None:
        with self._lock:
            self._handle(request)
            self._figures.skipped[reason] += 1

    def take(self) -> Figures:
        with self._lock:
            taken, self._figures = self._figures, Figures()
        return taken
