"""The flags of `python -m app compare`, and its help."""

from __future__ import annotations

import argparse

from app.durations import seconds_of
from app.settings.readers import app_argument
from app.store.queries import read_span

LATEST = 0
"""In place of a version: the latest release."""
WAIT_MAX_S = 86_400

EPILOG = """\
examples:
  python -m app compare                                  the latest release of the only app
  python -m app compare --app shop --release v42
  python -m app compare --app shop --release v42 --window 1h --fail-if 'p95>+20%' --fail-if 'errors>+1%'
  python -m app compare --app shop --from 10:00Z --until 10:15Z --with 10:20Z --until 10:35Z

in a pipeline, after `git push heroku main`: look at the first 15 minutes, and roll back if they are worse
  version=$(heroku releases -n 1 --json -a shop | jq -r '.[0].version')
  python -m app compare --app shop --release "v$version" --wait 25m
  if [ $? -eq 1 ]; then heroku rollback -a shop; fi

--fail-if, on all requests together and on every route that has enough of them:
  p50|p95|p99 >+20%, >+100ms    slower than before
  p50|p95|p99 >500ms            slow after, whatever it was before
  errors|aborted >+1%           a share that rose by more than so many percentage points
  errors|aborted >2%            a share after, whatever it was before
Without any: fails where a route, or all requests together, is worse in any figure. Each interval holds for
all figures of a comparison at once (95 %), and for traffic whose requests are not independent.

exit code: 0 passed, 1 failed, 2 bad usage or settings, or nothing that can be compared, 3 Redis is down,
4 inconclusive: too few requests, or the span after is not over (with --strict: 1), 130 interrupted.
--json prints one object: verdict, exit_code, reasons, findings (one a condition and route), comparison (as
/api/compare). Times are UTC without an offset of their own."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.description = (
        "Compares what an app was like before a release and after, or in any two spans: requests, errors, "
        "aborted requests, p50, p95, p99, route by route."
    )
    parser.epilog = EPILOG
    parser.add_argument(
        "--app", type=app_argument, default="", help="the app (default: the only one there is)"
    )
    release = parser.add_argument_group("around a release")
    release.add_argument(
        "--release",
        type=version,
        metavar="VERSION",
        help="such as v42 (default: latest, the newest one known)",
    )
    release.add_argument(
        "--window", type=window, metavar="TIME", help="how much before and after: 5m, 1h (default: 15m)"
    )
    release.add_argument(
        "--wait",
        type=wait,
        default=0,
        metavar="TIME",
        help="wait up to so long for the release to be known and the span after it to be over",
    )
    spans = parser.add_argument_group("two spans")
    spans.add_argument(
        "--from", dest="start", metavar="TIME", help="where one begins: 2026-11-23T10:00Z, 10:00Z, 2h (ago)"
    )
    spans.add_argument(
        "--until",
        action="append",
        default=[],
        metavar="TIME",
        help="twice: where the one of --from ends, then where the one of --with does (default there: now)",
    )
    spans.add_argument(
        "--with", dest="other", metavar="TIME", help="where the one begins that is compared with it"
    )
    verdict = parser.add_argument_group("the verdict")
    verdict.add_argument(
        "--fail-if", action="append", default=[], metavar="COND", help="see below; may be repeated"
    )
    verdict.add_argument("--strict", action="store_true", help="fail where it is inconclusive, too")
    verdict.add_argument("--json", action="store_true", help="one JSON object in place of text")


def version(text: str) -> int:
    """A type for argparse: `v42`, `42`, or `latest`, which is 0."""
    number = text.removeprefix("v")
    if text == "latest":
        return LATEST
    if not (number.isascii() and number.isdecimal() and 0 < len(number) <= 9 and int(number)):
        raise argparse.ArgumentTypeError("must be a version such as v42, or latest")
    return int(number)


def window(text: str) -> int:
    """A type for argparse: seconds."""
    try:
        return read_span(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None


def wait(text: str) -> int:
    """A type for argparse: seconds."""
    try:
        seconds = seconds_of(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None
    if seconds > WAIT_MAX_S:
        raise argparse.ArgumentTypeError("must be a day at most")
    return seconds
