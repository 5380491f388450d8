"""Reads a `when` of the file: `errors > 2%`, `p95 > 800ms and requests > 10/min`. Pure.

Spaces and case do not matter; `per minute` is `/min`, `>=` is `>`. conditions/registry.py has the kinds.
"""

from __future__ import annotations

import difflib

from app.alerts.clause import clauses, read_clause
from app.alerts.condition import Condition
from app.alerts.conditions.kind import Kind
from app.alerts.conditions.registry import KINDS
from app.masking import safe_repr

CONDITIONS_MAX = 5
WORD_MAX = 40
"""Characters of a word that another is sought for."""


OTHER_WORDS = {
    **dict.fromkeys(("latency", "response", "service", "time", "slow"), "p95 > 800ms"),
    **dict.fromkeys(("failed", "failing", "failure", "failures", "fails"), "errors > 2%"),
    **dict.fromkeys(("timeout", "timeouts"), "code H12 > 5/min"),
    **dict.fromkeys(("traffic", "rps", "rpm", "throughput"), "requests < 1/min"),
    "no": "silence 5m",
    **dict.fromkeys(("dyno", "dynos"), "crashed > 0"),
    **dict.fromkeys(("regression", "deploy"), "release worse"),
    **dict.fromkeys(("lost", "dropped"), "losses"),
    "health": "tailrace",
}
"""What people call the kinds -> what they mean."""


def parse_when(text: str) -> tuple[Condition, ...]:
    """Raises ValueError, whose text says what a condition may be and what was probably meant."""
    parts = clauses(text)
    if len(parts) > CONDITIONS_MAX:
        raise ValueError(f"joins {len(parts)} conditions: {CONDITIONS_MAX} at most")
    found = tuple(_condition(part) for part in parts)
    texts = [condition.text for condition in found]
    if "never" in texts and len(texts) > 1:
        raise ValueError("has `never` beside other conditions: it stands alone")
    if twice := next((one for one in texts if texts.count(one) > 1), ""):
        raise ValueError(f"says {twice} twice")
    scopes = {condition.scope for condition in found}
    if "tailrace" in scopes and len(found) > 1:
        raise ValueError("joins what is wrong with Tailrace itself with another condition: write two rules")
    return found


def _condition(part: str) -> Condition:
    clause = read_clause(part)
    word = clause.words[0] if clause.words else ""
    kind = next((kind for kind in KINDS if kind.is_of(word)), None)
    if kind is None:
        raise ValueError(f"{safe_repr(part)} is no condition{_meant(word)}")
    return kind.parse(clause)


def _meant(word: str) -> str:
    if word == "slo":
        return ": `slo` is a key of its own, in place of `when`"
    if word in OTHER_WORDS:
        return f": did you mean {OTHER_WORDS[word]}?"
    known = {name: kind for kind in KINDS for name in kind.words}
    nearest = difflib.get_close_matches(word[:WORD_MAX], known, n=1)
    if nearest:
        return f": did you mean {known[nearest[0]].examples[0]}?"
    return f"; there are {examples()}"


def examples() -> str:
    """One of each kind, for people."""
    return ", ".join(_shown(kind) for kind in KINDS)


def _shown(kind: Kind) -> str:
    return ", ".join(kind.examples) if kind.examples == kind.words else kind.examples[0]
