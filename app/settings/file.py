"""The YAML file that TAILRACE_CONFIG names: route templates, replay rules, drain tokens, alerts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from app.errors import BadSettings
from app.masking import safe_word
from app.routes import compile_rules
from app.settings.readers import drain_tokens
from app.settings.replay_rules import Rule, parse_rules

if TYPE_CHECKING:
    from app.alerts.rule import Rule as AlertRule
    from app.alerts.targets.target import Target


def read_file(path: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """The attributes of Settings that the file gives. Raises BadSettings with every fault in it.

    `environ`: for the `${NAME}` in the headers of replay rules.
    """
    file = safe_word(path)
    content = _content(path, file)
    readers: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "routes": ("route_rules", _routes),
        "streams": ("stream_rules", partial(_routes, key="streams")),
        "replay": ("replay_rules", lambda value: _replay(value, environ)),
        "tokens": ("drain_tokens", _tokens),
        "alerts": ("alert_rules", lambda value: _alerts(value, content.get("targets"))),
        "targets": ("alert_targets", lambda value: _targets(value, environ)),
    }
    if unknown := set(content) - set(readers):
        names = ", ".join(sorted(safe_word(name) for name in unknown))
        known = ", ".join(sorted(readers))
        raise BadSettings([f"TAILRACE_CONFIG: {file}: unknown top-level key {names}; the keys are {known}"])
    values: dict[str, Any] = {}
    faults: list[str] = []
    for key, (attribute, read) in readers.items():
        if not content.get(key):  # An empty key counts as absent.
            continue
        try:
            values[attribute] = read(content[key])
        except BadSettings as fault:
            faults += fault.faults
        except ValueError as fault:
            faults.append(f"TAILRACE_CONFIG: {file}: `{key}` {fault}")
    if faults:
        raise BadSettings(faults)
    return values


def _content(path: Path, file: str) -> dict[Any, Any]:
    """The top of the file. Raises BadSettings."""
    text = ""
    try:
        text = path.read_text("utf-8")
        content = yaml.safe_load(text) or {}
    except OSError as fault:
        raise BadSettings([f"TAILRACE_CONFIG: cannot read {file}: {fault.strerror}"]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        mark = getattr(fault, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark else ""
        # `{url: ${NAME}}` is no YAML: the second brace begins a mapping.
        is_unquoted = mark and any("${" in found for found in text.splitlines()[mark.line : mark.line + 1])
        hint = ": within braces, quote ${NAME}" if is_unquoted else ""
        raise BadSettings([f"TAILRACE_CONFIG: {file} is not YAML{line}{hint}"]) from None
    if not isinstance(content, dict):
        raise BadSettings([f"TAILRACE_CONFIG: {file} must have top-level keys, such as `routes:`"])
    return content


def _routes(value: Any, key: str = "routes") -> tuple[str, ...]:
    """Raises ValueError, and BadSettings for an invalid pattern."""
    if not isinstance(value, list) or not all(isinstance(pattern, str) for pattern in value):
        raise ValueError("must be a list of patterns such as /users/:name")
    compile_rules(value, key)
    return tuple(value)


def _replay(value: Any, environ: Mapping[str, str]) -> tuple[Rule, ...]:
    """Raises ValueError, and BadSettings for an invalid rule."""
    if not isinstance(value, list) or not all(isinstance(rule, dict) for rule in value):
        raise ValueError("must be a list of rules")
    return parse_rules(value, environ)


def _alerts(value: Any, targets: Any) -> tuple[AlertRule, ...]:
    """`targets`: those of the file; the ones that settings describe are named by their kind. Raises
    ValueError, and BadSettings for an invalid rule."""
    # Every process and command reads the settings, and most of them no rule.
    from app.alerts.targets.registry import KINDS
    from app.settings.alert_rules import parse_alerts

    return parse_alerts(value, {*KINDS, *(map(str, targets) if isinstance(targets, dict) else ())})


def _targets(value: Any, environ: Mapping[str, str]) -> tuple[Target, ...]:
    """Raises ValueError, and BadSettings for an invalid target."""
    from app.alerts.targets.registry import parse_targets

    return parse_targets(value, environ)


def _tokens(value: Any) -> dict[str, str]:
    """Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError("must map drain tokens to app names")
    pairs = [
        f"{token}={name}"
        for token, names in value.items()
        for name in (names if token == "app" and isinstance(names, list) else [names])
    ]
    return drain_tokens(",".join(pairs))
