"""Replay rules as they stand in the YAML file, parsed into checked `Rule`s. Pure.

consumers/replay/choice/rules.py applies them to requests.

A rule matches on any of `method`, `path` (a pattern as in `routes:`), `route`, `host`, `app`,
`status` (200, 5xx, 200-299) and `dyno`, each a value or a list; a rule without conditions matches
every request. It says `do: allow` (the default) or `do: deny`, and may rewrite (`rewrite_path` and
`rewrite_query`: `{match, replace}`, regular expressions of RE2) and set or remove headers. `${NAME}`
in a header's value is read from the environment. docs/replay.md has examples.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.errors import BadSettings, TailraceError
from app.hosts import comparable
from app.masking import safe_repr
from app.paths import literal
from app.routes import compile_rules

EXACT_CONDITIONS = ("method", "route", "host", "app", "dyno")
"""They compare a field of the request that has the same name."""

CONDITIONS = ("method", "path", "route", "host", "app", "status", "dyno")
ACTIONS = ("do", "rewrite_path", "rewrite_query", "set_headers", "remove_headers")
FRAMING_HEADERS = frozenset({"content-length", "transfer-encoding"})

PROGRAM_MAX = 2_000
"""RE2 instructions of one expression. A rewrite's work is limited as well (STEPS_MAX in rewrite.py);
this size leaves room for one search of 8 KB, the longest request line that Heroku's router accepts
(devcenter.heroku.com/articles/http-routing, "HTTP validation")."""

UNSUPPORTED = (
    "lookaround such as (?=...), backreferences such as \\1, possessive and atomic groups, and \\Z "
    "(write $) are not supported, because they may take minutes for one path"
)

_STATUS = re.compile(r"(\d)xx|(\d{3})(?:-(\d{3}))?")
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_COUNT_WITHOUT_MINIMUM = re.compile(r"(?<!\\)(?:\\\\)*\{,\d+\}")
_SINGLE_BYTE = re.compile(r"(?<!\\)(?:\\\\)*\\C")
_REFERENCE = re.compile(r"\\(?:([1-9]\d?)|g<(\w+)>|(.?))", re.DOTALL)

Fault = Callable[[str], None]
"""Records what is wrong with a rule; parsing continues, so that all faults are reported at once."""


class BadExpression(TailraceError):
    """The `match` or `replace` of a rule cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Substitution:
    """`{match, replace}`, ready to use. Every match of `regex` becomes `replacement`: text, and numbers
    of groups, in order."""

    regex: Any  # re2 has no type hints.
    program_size: int
    replacement: tuple[bytes | int, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One checked rule. An empty condition matches every request."""

    allow: bool
    exact: tuple[tuple[str, frozenset[str]], ...]
    """(field of the request, accepted values)."""
    statuses: tuple[tuple[int, int], ...]
    """Ranges, both ends included."""
    paths: tuple[re.Pattern[str], ...]
    """For `fullmatch` with the path, without its query."""
    rewrite_path: Substitution | None
    rewrite_query: Substitution | None
    set_headers: tuple[tuple[str, str], ...]
    remove_headers: frozenset[str]
    """In lower case."""
    unset: tuple[str, ...] = ()
    """What is missing before the rule can be used: a fault for each header whose variable is unset."""


def parse_rules(rules: Sequence[Mapping[str, Any]], environ: Mapping[str, str]) -> tuple[Rule, ...]:
    """Raises BadSettings with every fault of every rule.

    A header's unset variable is not a fault here: every process reads the file, but only what replays needs
    the secret. `require_variables` checks it.
    """
    faults: list[str] = []
    parsed: list[Rule] = []
    for number, rule in enumerate(rules, 1):
        found: list[str] = []
        unset: list[str] = []
        checked = _rule(rule, environ, found.append, unset.append)
        parsed.append(replace(checked, unset=tuple(f"replay: rule {number}: {text}" for text in unset)))
        faults += [f"replay: rule {number}: {text}" for text in found]
    if faults:
        raise BadSettings(faults)
    return tuple(parsed)


def require_variables(rules: Sequence[Rule]) -> None:
    """Raises BadSettings where a header of a rule needs a variable that is not in the environment."""
    if faults := [fault for rule in rules for fault in rule.unset]:
        raise BadSettings(faults)


def _rule(rule: Mapping[str, Any], environ: Mapping[str, str], fault: Fault, unset: Fault) -> Rule:
    for name in rule.keys() - {*CONDITIONS, *ACTIONS}:
        fault(f"unknown key {safe_repr(str(name))}; a rule has {', '.join((*CONDITIONS, *ACTIONS))}")
    if rule.get("do", "allow") not in ("allow", "deny"):
        fault("`do` must be allow or deny")
    conditions = {name: _values(name, rule[name], fault) for name in CONDITIONS if name in rule}
    if "method" in conditions:
        conditions["method"] = [method.upper() for method in conditions["method"]]
    if "host" in conditions:
        conditions["host"] = [comparable(host) for host in conditions["host"]]
    if "route" in conditions:
        # Names of routes are decoded; in `raw` mode they are not.
        conditions["route"] += [literal(route) for route in conditions["route"]]
    return Rule(
        allow=rule.get("do", "allow") == "allow",
        exact=tuple((name, frozenset(conditions[name])) for name in EXACT_CONDITIONS if name in conditions),
        statuses=_status_ranges(conditions.get("status", []), fault),
        paths=_path_patterns(conditions.get("path", []), fault),
        rewrite_path=_substitution("rewrite_path", rule, fault),
        rewrite_query=_substitution("rewrite_query", rule, fault),
        set_headers=_set_headers(rule.get("set_headers", {}), environ, fault, unset),
        remove_headers=_remove_headers(rule.get("remove_headers", []), fault),
    )


def _values(name: str, wanted: Any, fault: Fault) -> list[str]:
    values = wanted if isinstance(wanted, list) else [wanted]
    if values and all(isinstance(value, str | int) and str(value) for value in values):
        return [str(value) for value in values]
    # An empty list would match no request: a `deny` that denies nothing.
    fault(f"`{name}` must be a value or a list of values, none of them empty")
    return []


def _path_patterns(values: Sequence[str], fault: Fault) -> tuple[re.Pattern[str], ...]:
    try:
        return tuple(regex for regex, _ in compile_rules(values))
    except BadSettings as refused:
        fault("; ".join(text.removeprefix("routes: ") for text in refused.faults))
        return ()


def _status_ranges(values: Sequence[str], fault: Fault) -> tuple[tuple[int, int], ...]:
    ranges = []
    for value in values:
        parts = _STATUS.fullmatch(value)
        if parts is None:
            fault(f"status {safe_repr(value)} must be like 200, 5xx or 200-299")
            continue
        if parts[1]:
            first, last = int(parts[1]) * 100, int(parts[1]) * 100 + 99
        else:
            first, last = int(parts[2]), int(parts[3] or parts[2])
        if first > last:
            fault(f"status {value!r} ends before it begins")
        ranges.append((first, last))
    return tuple(ranges)


def _substitution(name: str, rule: Mapping[str, Any], fault: Fault) -> Substitution | None:
    if name not in rule:
        return None
    wanted = rule[name]
    if not isinstance(wanted, Mapping) or set(wanted) != {"match", "replace"}:
        fault(f"`{name}` must have `match` and `replace`")
        return None
    try:
        return parse_substitution(str(wanted["match"]), str(wanted["replace"]))
    except BadExpression as refused:
        fault(f"`{name}`: {refused}")
        return None


def parse_substitution(match: str, replace: str) -> Substitution:
    """Raises BadExpression."""
    if _COUNT_WITHOUT_MINIMUM.search(match):
        raise BadExpression("`match` contains {,n}, which RE2 reads as plain text: write {0,n}")
    if _SINGLE_BYTE.search(match):
        raise BadExpression("`match` contains \\C, which splits characters: write (?s:.)")
    import re2  # Here, because most installations have no rewrites, and it is a large library.

    options = re2.Options()
    options.log_errors = False
    try:
        regex = re2.compile(match.encode("utf-8", "surrogatepass"), options)
    except re2.error as fault:
        # Up to the first colon: after it RE2 repeats the expression, which may contain a secret.
        cause = fault.args[0].decode("utf-8", "replace").partition(":")[0]
        raise BadExpression(f"`match` is not a valid RE2 expression: {cause}; {UNSUPPORTED}") from None
    if regex.programsize > PROGRAM_MAX:
        raise BadExpression(
            f"`match` is too large: {regex.programsize} RE2 instructions, {PROGRAM_MAX} at most; "
            "smaller counts in {...} make it shorter"
        )
    return Substitution(regex, max(1, regex.programsize), _replacement(replace, regex))


def _replacement(replace: str, regex: Any) -> tuple[bytes | int, ...]:
    pieces: list[bytes | int] = []
    end = 0
    for reference in _REFERENCE.finditer(replace):
        pieces.append(replace[end : reference.start()].encode("utf-8", "surrogatepass"))
        end = reference.end()
        pieces.append(_piece(reference, regex))
    pieces.append(replace[end:].encode("utf-8", "surrogatepass"))
    return tuple(pieces)


def _piece(reference: re.Match[str], regex: Any) -> bytes | int:
    r"""What `\1`, `\g<name>`, `\\` or another escape stands for. Raises BadExpression."""
    number, name, other = reference.groups()
    if number or name:
        group = _group_number(number or name, regex)
        if not 0 <= group <= regex.groups:
            raise BadExpression(f"`replace` refers to group {reference[0]}, which `match` does not have")
        return group
    if other == "\\":
        return b"\\"
    if not other or other.isalnum():
        raise BadExpression(f"`replace` contains {reference[0]!r}: only \\1, \\g<name> and \\\\ are known")
    return reference[0].encode("utf-8", "surrogatepass")


def _group_number(name: str, regex: Any) -> int:
    """-1 where no group has this name."""
    if name.isdecimal():
        return int(name)
    number: int = regex.groupindex.get(name.encode(), -1)
    return number


def _set_headers(
    wanted: Any, environ: Mapping[str, str], fault: Fault, unset: Fault
) -> tuple[tuple[str, str], ...]:
    if not isinstance(wanted, Mapping):
        fault("`set_headers` must map names to values")
        return ()
    headers = []
    for name, value in wanted.items():
        missing = [variable for variable in _VARIABLE.findall(str(value)) if variable not in environ]
        filled = _VARIABLE.sub(lambda variable: environ.get(variable[1], ""), str(value))
        if not _HEADER_NAME.fullmatch(str(name)):
            fault(f"{safe_repr(str(name))} is not a valid header name")
        elif str(name).lower() in FRAMING_HEADERS:
            fault(f"header {name} cannot be set: requests are sent without a body")
        elif missing:
            unset(f"header {name}: {', '.join(missing)} is not in the environment")
        elif not filled.isprintable() or not filled.isascii():
            # The value may be a secret, so it is not shown.
            fault(f"header {name}: its value must be printable ASCII")
        else:
            headers.append((str(name), filled))
    return tuple(headers)


def _remove_headers(wanted: Any, fault: Fault) -> frozenset[str]:
    if not isinstance(wanted, list) or not all(isinstance(name, str) for name in wanted):
        fault("`remove_headers` must be a list of names")
        return frozenset()
    return frozenset(name.lower() for name in wanted)
