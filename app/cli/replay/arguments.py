"""The flags of `python -m app replay`, and its help."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.settings.readers import app_argument

EPILOG = """\
examples:
  python -m app replay --from 2026-11-23T10:00Z --until 11:00Z --speed 10 --to https://staging.example.com
  python -m app replay --from 1h --to https://staging.example.com --dry-run
  python -m app replay --from 30m --rate 200 --to https://review-42.example.com \\
      --fail-if 'p95>+20%' --fail-if 'status-changed>1%' --report report.json --report report.html
  python -m app replay --from 1h --to https://new.example.com --baseline https://old.example.com \\
      --compare-bodies --fail-if 'body-changed>1%'
  python -m app replay --from 1h --to https://staging.example.com --stages 5m:1x,10m:5x,5m:1x --loop
  python -m app replay --from 1h --to https://staging.example.com --speed 2 --for 8h --loop
  python -m app replay --from 1h --to https://staging.example.com --find-limit --fail-if 'p95>500ms'

--fail-if:
  p50|p90|p95|p99 >+20%, >+100ms   service time (sent to answered) against the original or the baseline
  p50|p90|p95|p99 >500ms           response time (due to answered)
  late>1s                          the 99th percentile of sent minus due, of the whole run
  status-changed>1%, errors>0.5%, body-changed>1%
  sent<95%                         of what was asked, of the whole run; always on: below it, a run is
                                   inconclusive, or failed if you write it yourself
All but late and sent apply to all requests together and to every route that has enough samples.

exit code: 0 passed, 1 failed: a threshold was crossed, 2 bad usage or settings, 3 the target or the log is
down, 4 inconclusive (with --strict: 1), 130 interrupted (the command to resume is printed)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Replays a window of the kept log against a target, and compares the two."
    parser.epilog = EPILOG
    _add_window(parser.add_argument_group("what is replayed"))
    _add_target(parser.add_argument_group("where to"))
    _add_load(parser.add_argument_group("how fast"))
    _add_verdict(parser.add_argument_group("the verdict"))


def _add_window(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--from", dest="start", required=True, metavar="TIME", help="2026-11-23T10:00Z, 10:00Z, 1h (ago); UTC"
    )
    group.add_argument(
        "--until", default="now", metavar="TIME", help="11:00Z is on the day of --from (default: now)"
    )
    group.add_argument("--app", type=app_argument, default="", help="only the requests of this app")
    group.add_argument(
        "--only-route",
        action="append",
        default=[],
        metavar="ROUTE",
        help="only the requests of this route, as the page names it; may be repeated",
    )
    group.add_argument(
        "--exclude-route",
        action="append",
        default=[],
        metavar="ROUTE",
        help="not the requests of this route; may be repeated",
    )
    group.add_argument(
        "--sample", metavar="SHARE", help="0 to 1, the same requests each time (default: REPLAY_SAMPLE)"
    )
    group.add_argument("--seed", default="", metavar="TEXT", help="another seed chooses another sample")
    group.add_argument("--resume", default="", metavar="RUN", help="go on with this interrupted run")
    group.add_argument("--dry-run", action="store_true", help="count what would be sent, but send nothing")


def _add_target(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--to", metavar="URL", help="the target (default: REPLAY_HOST)")
    group.add_argument(
        "--baseline", metavar="URL", help="a second target, compared with instead of the original"
    )
    group.add_argument(
        "--compare-bodies",
        action="store_true",
        help="compare the answers of target and baseline, too; the baseline gets each GET and HEAD twice",
    )
    group.add_argument(
        "--keep-host",
        action="store_true",
        help="send the Host of each line, for a target with many hosts",
    )


def _add_load(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--speed",
        metavar="N",
        help="1: the original spacing; 10: ten times as fast; max: as fast as answers come, at most "
        "REPLAY_RATE or --rate (default: REPLAY_SPEED)",
    )
    group.add_argument(
        "--rate",
        metavar="N",
        help="requests/s on average: stretches or shrinks the original spacing, whose shape stays",
    )
    group.add_argument(
        "--stages",
        metavar="LIST",
        help="speeds or rates one after the other, each for a time: 5m:1x,10m:5x,5m:200/s; 0x is a pause",
    )
    group.add_argument(
        "--for", dest="duration", metavar="TIME", help="end after this time, if not before: 90s, 15m, 1h"
    )
    group.add_argument(
        "--loop",
        action="store_true",
        help="begin the window again where it ends, until --for or --stages ends the run",
    )
    group.add_argument(
        "--find-limit",
        action="store_true",
        help="raise the speed from --speed (default: 1) on, in steps of --for (default: 30s), until a "
        "threshold breaks or the target falls behind; say what held (default: --fail-if 'errors>1%%')",
    )
    group.add_argument(
        "--concurrency",
        metavar="N",
        help="requests at once (default: REPLAY_CONCURRENCY, else it grows as needed)",
    )
    group.add_argument(
        "--allow-slower", action="store_true", help="also judge a run that could not keep its pace"
    )


def _add_verdict(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--fail-if", action="append", default=[], metavar="COND", help="see below; may be repeated"
    )
    group.add_argument("--strict", action="store_true", help="fail where the run is inconclusive, too")
    group.add_argument(
        "--report",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help=".json, .md, .html or .junit.xml; may be repeated",
    )
