"""Which requests are sent, and how: the first rule that matches decides."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from app.hosts import comparable
from app.paths import decoded
from app.router_line import path_only
from app.settings.replay_rules import Rule
from consumers.replay.choice.rewrite import TooMuchWork, rewrite
from consumers.replay.request import Request


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules say about one request; `reason` is empty where it is allowed."""

    allowed: bool
    reason: str
    path: str
    set_headers: tuple[tuple[str, str], ...] = ()
    remove_headers: frozenset[str] = frozenset()


class Rules:
    """All rules, and the methods that may be sent at all."""

    def __init__(self, rules: Sequence[Rule], methods: Sequence[str]) -> None:
        self._methods = frozenset(methods)
        self._rules = tuple(rules)

    def decide(self, request: Request) -> Decision:
        """By the first rule that matches; a request that none matches is allowed."""
        if request.method not in self._methods:
            return Decision(False, "method", request.path)
        for rule in self._rules:
            if _matches(rule, request):
                return _decision(rule, request.path)
        return Decision(True, "", request.path)


def _decision(rule: Rule, path: str) -> Decision:
    if not rule.allow:
        return Decision(False, "rule", path)
    try:
        rewritten = _rewritten(rule, path)
    except TooMuchWork:
        return Decision(False, "rewrite-limit", path)
    return Decision(True, "", rewritten, rule.set_headers, rule.remove_headers)


def _matches(rule: Rule, request: Request) -> bool:
    """Whether every condition of the rule matches."""
    if not all(_value(request, field) in accepted for field, accepted in rule.exact):
        return False
    if rule.statuses and not any(first <= request.status <= last for first, last in rule.statuses):
        return False
    if not rule.paths:
        return True
    path = path_only(request.path)
    spellings = {path, decoded(path)}
    if not rule.allow:
        spellings.add(_normalized(path))
    return any(pattern.fullmatch(spelling) for spelling in spellings for pattern in rule.paths)


def _value(request: Request, field: str) -> str:
    value: str = getattr(request, field)
    return comparable(value) if field == "host" else value


def _normalized(path: str) -> str:
    """The path that a server may read this one as. A `deny` covers it too: otherwise `/%61dmin` or
    `/./admin` would get around a rule for `/admin`."""
    return posixpath.normpath("/" + unquote(path).replace("\\", "/").lstrip("/"))


def _rewritten(rule: Rule, path_and_query: str) -> str:
    """Raises TooMuchWork."""
    if rule.rewrite_path is not None:
        path, mark, query = path_and_query.partition("?")
        path_and_query = rewrite(rule.rewrite_path, path) + mark + query
    if rule.rewrite_query is not None:
        path, _, query = path_and_query.partition("?")
        query = rewrite(rule.rewrite_query, query)
        path_and_query = f"{path}?{query}" if query else path
    return path_and_query
