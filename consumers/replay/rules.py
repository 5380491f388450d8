"""Which requests go, and how: YAML rules, the first that matches decides.

A rule matches on any of `method`, `path` (pattern as in `routes:`), `route`, `host`, `app`,
`status` (200, 5xx, 200-299), `dyno`, each a value or a list; a rule without any matches all. It
says `do: allow` (the default) or `do: deny`, and may rewrite (`rewrite_path` and `rewrite_query`:
`{match, replace}`, regular expressions of RE2) and set or remove headers; `${NAME}` in a header's value
is read from the environment. docs/replay.md has examples.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from app.errors import BadSettings
from app.masking import shown
from app.routes import compile_rules
from consumers.replay.request import Request
from consumers.replay.rewrite import BadExpression, Rewriter, TooMuchWork

CONDITIONS = ("method", "path", "route", "host", "app", "status", "dyno")
FRAMING = frozenset({"content-length", "transfer-encoding"})
ACTIONS = ("do", "rewrite_path", "rewrite_query", "set_headers", "remove_headers")
_STATUS = re.compile(r"(\d)xx|(\d{3})(?:-(\d{3}))?")
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VARIABLE = re.compile(r"\$\{(\w+)\}")

Condition = Callable[[Request], bool]
Rewrite = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules say of one request; `reason` is empty where it may go."""

    allowed: bool
    reason: str
    path: str
    set_headers: tuple[tuple[str, str], ...] = ()
    remove_headers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, ready to be asked."""

    conditions: tuple[Condition, ...]
    allow: bool
    rewrites: tuple[Rewrite, ...]
    set_headers: tuple[tuple[str, str], ...]
    remove_headers: frozenset[str]


class Rules:
    """All rules and the methods that may be sent at all."""

    def __init__(
        self, rules: Sequence[Mapping[str, Any]], environ: Mapping[str, str], methods: Sequence[str]
    ) -> None:
        """Raises BadSettings with every fault of every rule."""
        faults: list[str] = []
        self._methods = frozenset(methods)
        self._rules = [_rule(number, rule, environ, faults) for number, rule in enumerate(rules, 1)]
        if faults:
            raise BadSettings(faults)

    def decide(self, request: Request) -> Decision:
        """The first rule that matches; without one, the method alone counts."""
        if request.method not in self._methods:
            return Decision(False, "method", request.path)
        for rule in self._rules:
            if all(condition(request) for condition in rule.conditions):
                if not rule.allow:
                    return Decision(False, "rule", request.path)
                path = request.path
                try:
                    for rewrite in rule.rewrites:
                        path = rewrite(path)
                except TooMuchWork:
                    return Decision(False, "rewrite-limit", request.path)
                return Decision(True, "", path, rule.set_headers, rule.remove_headers)
        return Decision(True, "", request.path)


def _rule(number: int, rule: Mapping[str, Any], environ: Mapping[str, str], faults: list[str]) -> Rule:
    def fault(text: str) -> None:
        faults.append(f"replay: rule {number}: {text}")

    for name in rule.keys() - {*CONDITIONS, *ACTIONS}:
        fault(f"{shown(str(name))} is no key of a rule; there are {', '.join((*CONDITIONS, *ACTIONS))}")
    if rule.get("do", "allow") not in ("allow", "deny"):
        fault("`do` must be allow or deny")
    allow = rule.get("do", "allow") == "allow"
    conditions = [_condition(name, rule[name], allow, fault) for name in CONDITIONS if name in rule]
    rewrites = [
        rewrite
        for name, on_path in (("rewrite_path", True), ("rewrite_query", False))
        if name in rule and (rewrite := _rewrite(rule[name], on_path, name, fault))
    ]
    return Rule(
        conditions=tuple(conditions),
        allow=allow,
        rewrites=tuple(rewrites),
        set_headers=_set_headers(rule.get("set_headers", {}), environ, fault),
        remove_headers=_remove_headers(rule.get("remove_headers", []), fault),
    )


def _condition(name: str, wanted: Any, allow: bool, fault: Callable[[str], None]) -> Condition:
    found = wanted if isinstance(wanted, list) else [wanted]
    if not found or not all(isinstance(value, str | int) and str(value) for value in found):
        # It would match nothing: a deny that denies nobody.
        fault(f"`{name}` must be a value or a list of values, and is empty or holds something else")
        return lambda request: False
    values = [str(value) for value in found]
    if name == "path":
        try:
            patterns = [regex for regex, _ in compile_rules(values)]
        except BadSettings as refused:
            fault("; ".join(text.removeprefix("routes: ") for text in refused.faults))
            return lambda request: False

        def matches(request: Request) -> bool:
            path = request.path.partition("?")[0]
            spellings = (path,) if allow else (path, _plain(path))
            return any(regex.fullmatch(one) for one in spellings for regex in patterns)

        return matches
    if name == "status":
        ranges = [_status_range(value, fault) for value in values]
        return lambda request: any(first <= request.status <= last for first, last in ranges)
    known = frozenset(value.upper() if name == "method" else value for value in values)
    return lambda request: getattr(request, name) in known


def _plain(path: str) -> str:
    """The path that a server may take another spelling for: what is denied must not be had by writing
    it as `/%61dmin` or `/./admin`."""
    return posixpath.normpath("/" + unquote(path).replace("\\", "/").lstrip("/"))


def _status_range(value: str, fault: Callable[[str], None]) -> tuple[int, int]:
    found = _STATUS.fullmatch(value)
    if found is None:
        fault(f"status {shown(value)} must be like 200, 5xx or 200-299")
        return (1, 0)
    if found[1]:
        return (int(found[1]) * 100, int(found[1]) * 100 + 99)
    first, last = int(found[2]), int(found[3] or found[2])
    if first > last:
        fault(f"status {value!r} ends before it begins")
    return (first, last)


def _rewrite(wanted: Any, on_path: bool, name: str, fault: Callable[[str], None]) -> Rewrite | None:
    if not isinstance(wanted, Mapping) or set(wanted) != {"match", "replace"}:
        fault(f"`{name}` must have `match` and `replace`")
        return None
    try:
        rewriter = Rewriter(str(wanted["match"]), str(wanted["replace"]))
    except BadExpression as found:
        fault(f"`{name}`: {found}")
        return None

    def rewrite(whole: str) -> str:
        path, mark, query = whole.partition("?")
        if on_path:
            return rewriter(path) + mark + query
        query = rewriter(query)
        return f"{path}?{query}" if query else path

    return rewrite


def _set_headers(
    wanted: Any, environ: Mapping[str, str], fault: Callable[[str], None]
) -> tuple[tuple[str, str], ...]:
    if not isinstance(wanted, Mapping):
        fault("`set_headers` must map names to values")
        return ()
    headers = []
    for name, value in wanted.items():
        missing = [variable for variable in _VARIABLE.findall(str(value)) if variable not in environ]
        filled = _VARIABLE.sub(lambda found: environ.get(found[1], ""), str(value))
        if not _HEADER_NAME.fullmatch(str(name)):
            fault(f"{shown(str(name))} is no header name")
        elif str(name).lower() in FRAMING:
            fault(f"header {name}: requests are sent without a body, and it would say otherwise")
        elif missing:
            fault(f"header {name}: {', '.join(missing)} is not in the environment")
        elif not filled.isprintable() or not filled.isascii():
            # The value may be a secret, so it is not shown.
            fault(f"header {name}: its value must be printable ASCII")
        else:
            headers.append((str(name), filled))
    return tuple(headers)


def _remove_headers(wanted: Any, fault: Callable[[str], None]) -> frozenset[str]:
    if not isinstance(wanted, list) or not all(isinstance(name, str) for name in wanted):
        fault("`remove_headers` must be a list of names")
        return frozenset()
    return frozenset(name.lower() for name in wanted)
