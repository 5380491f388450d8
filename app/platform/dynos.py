"""The names of dynos: `web.1` on Cedar, `web-7d9c5b8f6-x2x9k` on Fir. Pure.

Names of Cedar were seen, also with underscores (`normal_worker.1`), hyphens, and the long numbers of one-off
dynos (`run.1234`, `scheduler.7625`, `release.9811`). The form of Fir's, a process type and two hyphenated
parts, is in Heroku's own tools (its VS Code extension).
"""

from __future__ import annotations

import re
from functools import lru_cache

ONE_OFF_TYPES = frozenset({"run", "scheduler", "release"})
"""Process types of one-off dynos: of `heroku run`, of Heroku Scheduler and of the release phase."""

ONE_OFF_FROM = 1_000
"""The number of a one-off dyno has four digits and is random (seen: `run.9601`, `scheduler.2843`). Those of
a formation count from 1, up to some hundreds at most, so a number from here on tells a one-off dyno whose
process type is a choice of the API's user."""

_CEDAR = re.compile(r"([A-Za-z][\w-]{0,47})\.[0-9]{1,10}")
_FIR = re.compile(r"([A-Za-z][\w-]{0,39})-[0-9a-z]{1,12}-[0-9a-z]{1,8}")


@lru_cache(maxsize=4096)
def process_type(dyno: str) -> str:
    """`web` of `web.1` and of `web-7d9c5b8f6-x2x9k`; empty for what is no dyno's name, such as `router`."""
    found = _CEDAR.fullmatch(dyno) or _FIR.fullmatch(dyno)
    return found[1] if found else ""


def is_one_off(dyno: str) -> bool:
    """Whether it runs one command and then ends, and no dyno will have its name again."""
    if process_type(dyno) in ONE_OFF_TYPES:
        return True
    number = dyno.rpartition(".")[2] if _CEDAR.fullmatch(dyno) else "0"
    return int(number) >= ONE_OFF_FROM


def by_number(dyno: str) -> tuple[str, int, str]:
    """Sorts by name, web.2 before web.10."""
    process, _, number = dyno.rpartition(".")
    # Names are what a sender wrote: no dyno has a number of more digits.
    return process, int(number[:9]) if number.isascii() and number.isdecimal() else 0, dyno
