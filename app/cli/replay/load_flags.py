"""From `--speed`, `--rate`, `--stages`, `--for` and `--loop` to a run's load."""

from __future__ import annotations

import argparse
import dataclasses
import math

from app.durations import seconds_of
from app.masking import safe_repr
from app.settings import Settings
from app.settings import readers as kind
from consumers.replay.load.shapes import BadLoad, Load, at_rate, at_speed, parse_stages

STEP_S = 30.0
"""How long `--find-limit` tries one speed, unless `--for` says so."""


def load_of(args: argparse.Namespace, settings: Settings) -> Load:
    """The load that is asked for. `settings` are those `with_flags`: REPLAY_SPEED counts where no flag says
    how fast, and REPLAY_RATE limits what has no rate of its own. Raises BadLoad."""
    _refuse_contradictions(args)
    duration_s = math.inf if args.duration is None else _duration_s(args.duration)
    cap = settings.replay_rate
    if args.find_limit:
        # Each step takes the speed that it tries; the first one is --speed.
        first = at_speed(1.0 if args.speed is None else settings.replay_speed)
        return Load((first,), STEP_S if math.isinf(duration_s) else duration_s, is_looped=True, cap=cap)
    if args.stages is not None:
        load = Load(parse_stages(args.stages), is_looped=args.loop, cap=cap)
        return dataclasses.replace(load, cap=0.0) if load.rate is not None else load
    if args.rate is None:
        return Load((at_speed(settings.replay_speed),), duration_s, args.loop, cap)
    rate = kind.positive(args.rate)
    if args.speed is not None:  # max: without the spacing, at equal gaps.
        return Load((at_speed(math.inf),), duration_s, args.loop, cap=rate)
    return Load((at_rate(rate),), duration_s, args.loop)


def _refuse_contradictions(args: argparse.Namespace) -> None:
    """Raises BadLoad for flags that say two things at once."""
    if args.find_limit and (args.rate is not None or args.stages is not None or args.speed == "max"):
        raise BadLoad(
            "--find-limit raises the speed by itself, so it takes no --rate, no --stages and no --speed max; "
            "--speed 4 begins at 4x"
        )
    if args.stages is not None:
        for flag, value in (("--speed", args.speed), ("--rate", args.rate)):
            if value is not None:
                raise BadLoad(f"--stages says how fast at each time, so leave out {flag}")
        if args.duration is not None:
            raise BadLoad("--stages says how long the run takes, so leave out --for")
    if args.speed not in (None, "max") and args.rate is not None:
        raise BadLoad(
            "--speed and --rate both say how fast to go: --speed 10 is ten times the original, --rate 200 is "
            "200 requests/s on average. Give one; with --speed max, --rate is a limit"
        )
    if args.loop and args.duration is None and args.stages is None and not args.find_limit:
        raise BadLoad("--loop repeats the window without an end: add --for 1h, or --stages")


def _duration_s(text: str) -> float:
    try:
        seconds = seconds_of(text)
    except ValueError as fault:
        raise BadLoad(f"--for {fault} (it is {safe_repr(text)})") from None
    if not seconds:
        raise BadLoad("--for must be at least 1s")
    return float(seconds)
