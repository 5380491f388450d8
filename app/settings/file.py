"""The YAML file that TAILRACE_CONFIG names: route templates, replay rules, drain tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from app.masking import shown_word
from app.settings.readers import drain_tokens

_FILE_KEYS = {"routes", "replay", "tokens"}


def read_file(path: Path, values: dict[str, Any], faults: list[str]) -> None:
    """Adds what the YAML file says; the environment wins where both speak."""
    file = shown_word(path)
    try:
        content = yaml.safe_load(path.read_text("utf-8")) or {}
    except OSError as fault:
        faults.append(f"TAILRACE_CONFIG: cannot read {file}: {fault.strerror}")
        return
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        where = getattr(fault, "problem_mark", None)
        faults.append(f"TAILRACE_CONFIG: {file} is not YAML" + (f" (line {where.line + 1})" if where else ""))
        return
    if not isinstance(content, dict) or set(content) - _FILE_KEYS:
        faults.append(
            f"TAILRACE_CONFIG: {file} may only have these top-level keys: {', '.join(sorted(_FILE_KEYS))}"
        )
        return
    routes: Any = content.get("routes") or []
    replay: Any = content.get("replay") or []
    tokens: Any = content.get("tokens") or {}
    if not isinstance(routes, list) or not all(isinstance(rule, str) for rule in routes):
        faults.append(f"TAILRACE_CONFIG: {file}: `routes` must be a list of patterns such as /users/:name")
    else:
        values["route_rules"] = tuple(routes)
    if not isinstance(replay, list) or not all(isinstance(rule, dict) for rule in replay):
        faults.append(f"TAILRACE_CONFIG: {file}: `replay` must be a list of rules")
    else:
        values["replay_rules"] = tuple(replay)
    if not isinstance(tokens, dict):
        faults.append(f"TAILRACE_CONFIG: {file}: `tokens` must map drain tokens to app names")
    elif tokens:
        try:
            named = drain_tokens(",".join(f"{token}={name}" for token, name in tokens.items()))
            values["drain_tokens"] = {**named, **values.get("drain_tokens", {})}
        except ValueError as fault:
            faults.append(f"TAILRACE_CONFIG: {file}: `tokens` {fault}")
