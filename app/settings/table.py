"""The settings as people read them: the README's table, and what is in force, secrets masked."""

from __future__ import annotations

from typing import Any

from app.masking import MASK, mask_url, without_logins
from app.settings import readers as kind
from app.settings.fields import FieldSpec
from app.settings.settings import FIELDS, Settings


def display_value(spec: FieldSpec, settings: Settings) -> str:
    """The value in force as text for a person, secrets masked."""
    value = getattr(settings, spec.attribute)
    if spec.read is kind.redis_url:
        return mask_url(value)
    if spec.secret:
        return MASK if value else ""
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    if value == float("inf"):
        return "max"
    if isinstance(value, bool):
        return "1" if value else "0"
    if spec.default_label and value == spec.default:
        return ""
    return without_logins(str(value))


def markdown_table() -> str:
    """The README's table of environment variables."""
    rows = ["| name | meaning | default |", "| --- | --- | --- |"]
    for spec in FIELDS:
        default = spec.default_label or _plain_default(spec.default)
        unit = f" {spec.unit}" if spec.unit and not spec.default_label else ""
        rows.append(f"| `{spec.name}` | {spec.help} | {default}{unit} |")
    return "\n".join(rows)


def _plain_default(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
