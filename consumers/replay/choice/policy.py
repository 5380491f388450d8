"""Decides what is sent: from a request of the log to a job, or to the reason why it is not sent. Pure.

The live worker and the window replay get their requests from different places and do different
things with the outcomes; which requests are sent, and with which headers, is decided here for both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from app.hosts import is_valid
from app.loop_guard import LoopGuard, is_marked
from app.settings import Settings
from app.settings.replay_rules import require_variables
from consumers.replay.choice.host_addresses import HostAddresses
from consumers.replay.choice.rules import Decision, Rules
from consumers.replay.choice.same_host import refuse_same_host
from consumers.replay.choice.target import RefusedPath, Target, request_target
from consumers.replay.request import Job, Request

SAFE_METHODS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class HeaderOptions:
    """`host` empty: the target's own. `forwarded`: send the original client's address and protocol, as far
    as the router logged them, in X-Forwarded-For and X-Forwarded-Proto."""

    host: str = ""
    user_agent: str = "tailrace-replay"
    forwarded: bool = False


@dataclass(frozen=True, slots=True)
class ReplayPolicy:
    """Which requests of the log are sent, and how, whatever the target."""

    rules: Rules
    sample: float
    """Share of the requests, 0 to 1."""
    headers: HeaderOptions
    allow_same_host: bool
    guard: LoopGuard
    keep_host: bool = False
    """Send the line's own host as the Host header."""
    only_routes: frozenset[str] = frozenset()
    """Where it is not empty, no other route is sent."""
    exclude_routes: frozenset[str] = frozenset()
    seed: str = ""
    """Another seed chooses another sample."""
    addresses: HostAddresses | None = None
    """Holds the guard against production where the Host header does not; needed with `keep_host`."""


def policy_from_settings(settings: Settings, guard: LoopGuard) -> ReplayPolicy:
    """The policy that the settings describe. Raises BadSettings where a rule needs an unset variable."""
    require_variables(settings.replay_rules)
    return ReplayPolicy(
        rules=Rules(settings.replay_rules, settings.replay_methods),
        sample=settings.replay_sample,
        headers=HeaderOptions(
            host=settings.replay_host_header,
            user_agent=settings.replay_user_agent,
            forwarded=settings.replay_forwarded,
        ),
        allow_same_host=settings.replay_allow_same_host,
        guard=guard,
    )


def unsafe_methods(methods: Sequence[str]) -> str:
    """The methods other than GET and HEAD, of which the user must be warned; empty without any."""
    return ", ".join(sorted(set(methods) - SAFE_METHODS))


def prepare(request: Request, target: Target, policy: ReplayPolicy) -> Job | str:
    """The job, or the reason why this request is not sent: `replayed`, `forged-mark`, `route`, `connection`,
    `sample`, `method`, `rule`, `rewrite-limit`, `refused-path` or `unknown-address`, in this order. Raises
    SameHost, and as the guard's key does."""
    if is_marked(request.request_id):
        # Not sent even if the signature is not valid: with another installation's key, or an earlier one,
        # it may be a loop all the same.
        return "replayed" if policy.guard.is_replayed(request.request_id) else "forged-mark"
    _refuse_same_host(request, target, policy, policy.headers.host)
    if request.route in policy.exclude_routes or (
        policy.only_routes and request.route not in policy.only_routes
    ):
        return "route"
    if request.is_connection:
        return "connection"
    if not is_sampled(request.identity, policy.sample, policy.seed):
        return "sample"
    decision = policy.rules.decide(request)
    if not decision.allowed:
        return decision.reason
    try:
        wire_target = request_target(decision.path, target.path)
    except RefusedPath:
        return "refused-path"
    if policy.keep_host and not policy.allow_same_host and not _is_elsewhere(request, target, policy):
        return "unknown-address"
    for name, value in decision.set_headers:
        if name.lower() == "host":
            _refuse_same_host(request, target, policy, value)
    headers = _apply_rule(replay_headers(request, target, policy), decision)
    return Job(request, wire_target, headers)


def _refuse_same_host(request: Request, target: Target, policy: ReplayPolicy, host_header: str) -> None:
    if not policy.allow_same_host:
        refuse_same_host(target, request.host, host_header)


def _is_elsewhere(request: Request, target: Target, policy: ReplayPolicy) -> bool:
    """Whether the line's host is another server than the target; False where that is not known. Raises
    SameHost."""
    if not is_valid(request.host):
        return True  # The target's own Host is sent.
    return policy.addresses is not None and policy.addresses.is_elsewhere(request.host, target)


def is_sampled(identity: str, share: float, seed: str = "") -> bool:
    """Whether a request is in the sample: the same ones each time, whatever else is sent. Another seed
    chooses others."""
    if share >= 1:
        return True
    if seed:
        identity = f"{seed}\0{identity}"
    hashed = int.from_bytes(hashlib.blake2b(identity.encode("utf-8", "replace"), digest_size=8).digest())
    return hashed < share * 2**64


def replay_headers(request: Request, target: Target, policy: ReplayPolicy) -> list[tuple[str, str]]:
    """Names and values of the headers without rules. Logs do not have the headers that the client
    sent, so there are few. Printable ASCII alone: nothing in a log line can end a header."""
    options = policy.headers
    kept_host = request.host if policy.keep_host and is_valid(request.host) else ""
    headers = [
        ("Host", kept_host or options.host or target.host_header),
        ("User-Agent", options.user_agent),
        ("Accept", "*/*"),
        ("X-Request-Id", policy.guard.mark(request.identity)),
    ]
    if options.forwarded:
        if request.fwd and request.fwd.isascii() and request.fwd.isprintable():
            headers.append(("X-Forwarded-For", request.fwd))
        if request.protocol:
            headers.append(("X-Forwarded-Proto", request.protocol))
    return headers


def _apply_rule(headers: Sequence[tuple[str, str]], decision: Decision) -> list[tuple[str, str]]:
    """A rule may replace or remove any header but X-Request-Id, which is the guard against loops."""
    replaced = {name.lower() for name, _ in decision.set_headers} | decision.remove_headers
    kept = [
        (name, value)
        for name, value in headers
        if name.lower() not in replaced or name.lower() == "x-request-id"
    ]
    return kept + [pair for pair in decision.set_headers if pair[0].lower() != "x-request-id"]
