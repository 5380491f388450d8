"""What the name of a dyno says: its process type, and whether it is a one-off dyno."""

from __future__ import annotations

import re

ONE_OFF_PROCESSES = frozenset({"run", "scheduler", "release"})
"""Process types of one-off dynos, as Heroku documents them: `heroku run`, the Scheduler add-on, the release
phase."""

ONE_OFF_FROM = 1_000
"""The number of a one-off dyno has four digits and is random (seen: `run.9601`, `scheduler.2843`). Those of
a formation count from 1, up to some hundreds at most, so a number from here on tells a one-off dyno whose
process type is a choice of the API's user."""

_FIR = re.compile(r"(?P<process>.+?)-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}")
"""On Fir a dyno is a pod of Kubernetes, which names it after its ReplicaSet: `web-7d9c5b8f6-x2x9k`. The
alphabet is that of Kubernetes (apimachinery, pkg/util/rand): it has no vowels, so hardly a word fits."""


def process_type(dyno: str) -> str:
    """`web` of `web.1` and of Fir's `web-7d9c5b8f6-x2x9k`; a name of another form is its own process type."""
    process, dot, _ = dyno.rpartition(".")
    if dot and process:
        return process
    pod = _FIR.fullmatch(dyno)
    return pod["process"] if pod else dyno


def is_one_off(dyno: str) -> bool:
    """Whether it runs one command and then ends, and no dyno will have its name again."""
    process, dot, number = dyno.rpartition(".")
    if not dot:
        return process_type(dyno) in ONE_OFF_PROCESSES
    return process in ONE_OFF_PROCESSES or (
        number.isascii() and number.isdecimal() and len(number) < 10 and int(number) >= ONE_OFF_FROM
    )
