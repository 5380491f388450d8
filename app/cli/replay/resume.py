"""`--resume RUN`: an interrupted run goes on as the same run, with one report about all of it."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections import Counter
from collections.abc import Mapping

import redis

from app.errors import BadSettings
from app.masking import safe_word
from app.settings import Settings
from app.store import replay, replay_resume
from app.store.replay import Run
from app.timespec import iso
from consumers.replay.pairs import Pairs
from consumers.replay.plan import ReplayPlan
from consumers.replay.resume_state import STATE, ResumeState, unpack_ids, unpack_pairs


@dataclasses.dataclass(frozen=True, slots=True)
class Resumed:
    """The earlier part of a run."""

    run: Run
    """Its figures do not count what is sent now."""
    pairs: Pairs
    done_ids: list[str]
    """Messages that are dealt with, although they were received after the point where it goes on."""


def held_flags(args: argparse.Namespace, settings: Settings) -> dict[str, str]:
    """Flag -> value, of all that decide what is sent and how: they must not change within a run."""
    return {
        "--app": args.app,
        "--only-route": json.dumps(sorted(args.only_route)) if args.only_route else "",
        "--exclude-route": json.dumps(sorted(args.exclude_route)) if args.exclude_route else "",
        "--sample": f"{settings.replay_sample:g}",
        "--seed": args.seed,
        "--speed": f"{settings.replay_speed:g}",
        "--rate": args.rate or "",
        "REPLAY_RATE": f"{settings.replay_rate:g}",
        "--keep-host": "yes" if args.keep_host else "",
        "--compare-bodies": "yes" if args.compare_bodies else "",
        "REPLAY_METHODS": ",".join(sorted(settings.replay_methods)),
    }


def resumed(store: redis.Redis, run_id: str, plan: ReplayPlan, flags: Mapping[str, str]) -> Resumed:
    """Takes over the run, so that no other process can. Raises BadSettings where there is none, where it is
    finished or still running, or where this command line is not that run's; and RedisError."""
    named = f"--resume {safe_word(run_id)}"
    found = None if run_id == replay.LIVE else replay.run(store, run_id)
    if found is None:
        raise BadSettings([f"{named}: there is no such run (a run is kept for 30 days)"])
    data = replay_resume.read(store, run_id, STATE)
    state = None if data is None else ResumeState.unpack(data)
    if state is None:
        raise BadSettings([f"{named}: {_why_nothing_is_left(found.info.get('state', ''))}"])
    if faults := _differences(named, found, state, plan, flags):
        raise BadSettings(faults)
    kept = replay_resume.claim(store, run_id)
    if STATE not in kept:
        raise BadSettings([f"{named}: another process has just resumed it"])
    left = Counter(found.figures.skipped)
    left.subtract(state.skipped())
    found.figures.skipped = +left
    by_route = Counter(found.figures.left_out)
    by_route.subtract(state.to_send)
    found.figures.left_out = +by_route
    info = {name: value for name, value in found.info.items() if name not in ("verdict", "reached")}
    info["parts"] = str(int(info.get("parts", "1")) + 1)
    return Resumed(dataclasses.replace(found, info=info), unpack_pairs(kept), unpack_ids(kept))


def _why_nothing_is_left(state: str) -> str:
    if state == "finished":
        return "it is finished; leave --resume out to start a new run"
    if state == "running":
        return "it is still running, or its process was killed and kept nothing to go on from"
    return (
        "what it takes to go on is gone: it is kept for 7 days, and for the latest "
        f"{replay_resume.RUNS_MAX} interrupted runs; leave --resume out to start a new run"
    )


def _differences(
    named: str, found: Run, state: ResumeState, plan: ReplayPlan, flags: Mapping[str, str]
) -> list[str]:
    """What of this command line is not that of the run, one text each."""
    expected = {
        "--to": (found.info.get("target", ""), plan.target.url),
        "--baseline": (found.info.get("baseline", ""), plan.baseline.url if plan.baseline else ""),
        "--until": (found.info.get("until", ""), iso(plan.until_ms)),
        "--from": (iso(state.from_ms), iso(plan.from_ms)),
        **{name: (state.flags.get(name, ""), value) for name, value in flags.items()},
    }
    return [
        f"{named}: {name} must be {_shown(before)}, as for that run, and not {_shown(now)}"
        for name, (before, now) in expected.items()
        if before != now
    ]


def _shown(value: str) -> str:
    return value or "unset"
