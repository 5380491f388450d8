"""Conditions on what is counted of requests: `errors`, `aborted`, `code H12`, `codes`, `status 503`."""

from __future__ import annotations

import re
from collections.abc import Callable

from app.alerts.clause import VALUE_MAX, Clause
from app.alerts.condition import Condition
from app.alerts.conditions.kind import Kind, factor, refuse, require_above, require_words, share_limit
from app.alerts.conditions.rate import RateAbove
from app.alerts.conditions.share import ShareAbove, ShareAboveBaseline
from app.alerts.measures import ROUTER_CODE, Measure

_STATUS = re.compile(r"[1-5](?:xx|[0-9]{2})")


def _condition(clause: Clause, measure: Measure) -> Condition:
    name = measure.text
    if not clause.operator:
        raise refuse(clause, f"say how many: write {name} > 2%, {name} > 5/min or {name} > 5x usual")
    require_above(
        clause, f"it would alert while all is well: write {name} > 2%, {name} > 5/min or {name} > 5x usual"
    )
    if clause.unit == "%":
        return ShareAbove(measure, share_limit(clause, name))
    if clause.versus:
        return ShareAboveBaseline(measure, factor(clause), clause.versus)
    if (per_min := clause.per_min) is not None:
        if not 0 < per_min <= VALUE_MAX:
            raise refuse(clause, f"a rate is above 0, such as {name} > 5/min")
        return RateAbove(measure, per_min)
    raise refuse(clause, f"say of what: {name} > 2%, {name} > 5/min or {name} > 5x usual")


def _plain(kind: Measure) -> Callable[[Clause], Condition]:
    def parse(clause: Clause) -> Condition:
        require_words(clause, 1, f"{kind.text} > 2%")
        return _condition(clause, kind)

    return parse


def _code(clause: Clause) -> Condition:
    word = clause.words[-1]
    if len(clause.words) > 2 or not ROUTER_CODE.fullmatch(word):
        raise refuse(clause, "name a code of the router: code H12 > 5/min (all of them: codes > 10/min)")
    return _condition(clause, Measure("code", word.upper()))


def _status(clause: Clause) -> Condition:
    word = clause.words[-1]
    if len(clause.words) > 2 or not _STATUS.fullmatch(word):
        raise refuse(clause, "name a status: status 503 > 1% or status 5xx > 5/min")
    return _condition(clause, Measure("status", word))


ERRORS = Kind(
    ("errors", "error"),
    ("errors > 2%", "errors > 5x yesterday", "errors > 5x usual", "errors > 10/min"),
    _plain(Measure("errors")),
)
ABORTED = Kind(("aborted",), ("aborted > 5%",), _plain(Measure("aborted")))
CODE = Kind(("code",), ("code H12 > 5/min", "code H12 > 1%"), _code, ROUTER_CODE)
CODES = Kind(("codes",), ("codes > 10/min",), _plain(Measure("codes")))
"""All of the router's but those that say that a client went away (app/outcomes.py)."""
STATUS = Kind(("status",), ("status 503 > 1%", "status 5xx > 5/min"), _status, _STATUS)
