"""From flags and settings to the plan of one replay."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import secrets
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import redis

from app.cli.replay.load_flags import load_of
from app.errors import BadSettings
from app.loop_guard import LoopGuard
from app.paths import literal
from app.redis_client import connect, why_refused
from app.settings import Settings
from app.settings import readers as kind
from app.store.replay_key import KEY_BYTES, ReplayKey
from app.timespec import iso, parse_time_ms
from consumers.replay.choice.host_addresses import HostAddresses
from consumers.replay.choice.policy import ReplayPolicy, policy_from_settings
from consumers.replay.choice.target import Target
from consumers.replay.plan import ReplayPlan

REDIS_TIMEOUT_S = 2.0


def with_flags(settings: Settings, args: argparse.Namespace) -> Settings:
    """The settings with this run's flags, which are checked in the same way. Raises BadSettings."""
    faults: list[str] = []
    values: dict[str, object] = {}
    for flag, name, read in (
        ("to", "replay_host", kind.base_url),
        ("speed", "replay_speed", kind.speed),
        ("rate", None, kind.positive),  # It is no limit, so it does not take the place of REPLAY_RATE.
        ("concurrency", "replay_concurrency", kind.whole_number(1, 1024)),
        ("sample", "replay_sample", kind.share),
    ):
        raw = getattr(args, flag)
        if raw is not None:
            try:
                value = read(raw)
            except ValueError as fault:
                faults.append(f"--{flag} {fault}{kind.it_is(raw, read)}")
            else:
                if name is not None:
                    values[name] = value
    faults += _missing_for_comparison(args)
    if faults:
        raise BadSettings(faults)
    settings = dataclasses.replace(settings, **values)  # type: ignore[arg-type]
    if not settings.replay_host:
        raise BadSettings(["--to is missing, and REPLAY_HOST is not set"])
    return settings


def plan_of(args: argparse.Namespace, settings: Settings, key: Callable[[], bytes]) -> ReplayPlan:
    """`key`: of the marks. Raises TailraceError for times, targets and rules that are not valid."""
    now = datetime.now(UTC)
    from_ms = parse_time_ms(args.start, now)
    until_ms = parse_time_ms(args.until, now, datetime.fromtimestamp(from_ms / 1000, UTC))
    if until_ms <= from_ms:
        raise BadSettings([f"--until ({iso(until_ms)}) must be after --from ({iso(from_ms)})"])
    target = Target.parse(settings.replay_host)
    baseline = None if args.baseline is None else Target.parse(args.baseline)
    load = load_of(args, settings)
    load.refuse_short_window((until_ms - from_ms) / 1000)
    return ReplayPlan(
        from_ms=from_ms,
        until_ms=until_ms,
        target=target,
        baseline=baseline,
        policy=_policy(args, settings, [one for one in (target, baseline) if one], key),
        app=args.app,
        concurrency=settings.replay_concurrency,
        load=load,
        timeout_s=settings.replay_timeout_ms / 1000,
        compares_answers=args.compare_bodies,
    )


def _missing_for_comparison(args: argparse.Namespace) -> list[str]:
    """What a comparison of answers lacks, one text each."""
    faults = []
    if args.compare_bodies and args.baseline is None:
        faults.append("--compare-bodies needs --baseline URL: the log has no answers to compare with")
    if not args.compare_bodies and any(text.strip().startswith("body-changed") for text in args.fail_if):
        faults.append("--fail-if body-changed needs --compare-bodies and --baseline URL")
    return faults


def _policy(
    args: argparse.Namespace, settings: Settings, targets: Sequence[Target], key: Callable[[], bytes]
) -> ReplayPolicy:
    """The settings' policy with the flags of this run. Raises BadSettings and SameHost."""
    if args.keep_host and settings.replay_host_header:
        raise BadSettings(["--keep-host and REPLAY_HOST_HEADER contradict each other: unset one of them"])
    addresses = None
    if args.keep_host and not settings.replay_allow_same_host:
        addresses = HostAddresses()
        for target in targets:
            addresses.refuse_shared_router(target)
    return dataclasses.replace(
        policy_from_settings(settings, LoopGuard(key)),
        keep_host=args.keep_host,
        addresses=addresses,
        only_routes=_routes("--only-route", args.only_route),
        exclude_routes=_routes("--exclude-route", args.exclude_route),
        seed=args.seed,
    )


def _routes(flag: str, names: Sequence[str]) -> frozenset[str]:
    """As requests name them: decoded, or in `raw` mode not. Raises BadSettings."""
    if faulty := [name for name in names if not name.startswith("/")]:
        raise BadSettings(
            [f"{flag} must be a route as the page names it, such as /users/:id{kind.it_is(faulty[0], str)}"]
        )
    return frozenset(names) | frozenset(map(literal, names))


def mark_key(settings: Settings, *, creates: bool) -> bytes:
    """The key that signs this run's requests; one of its own where Redis does not give it. It is asked for
    with the first request: if the log is in Redis and unreachable, the run has ended before."""
    with contextlib.closing(connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)) as store:
        try:
            return ReplayKey(store, settings.replay_key, creates=creates)()
        except redis.RedisError as fault:
            print(
                f"Redis: {why_refused(fault)}. So the requests are signed with a key of this run: where the "
                "target's log is counted, they count as traffic. Set REPLAY_KEY to the counting "
                "installation's",
                file=sys.stderr,
            )
            return secrets.token_bytes(KEY_BYTES)
