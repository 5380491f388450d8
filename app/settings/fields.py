"""How a setting is declared: `setting(...)` at a field of Settings, `FieldSpec` for whoever lists them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar, overload

from app.settings import readers

T = TypeVar("T")


@overload
def setting(
    name: str, default: str, help: str, *, unit: str = "", secret: bool = False, default_label: str = ""
) -> str: ...
@overload
def setting(
    name: str,
    default: T,
    help: str,
    read: Callable[[str], T],
    *,
    unit: str = "",
    secret: bool = False,
    default_label: str = "",
) -> T: ...
def setting(
    name: str,
    default: Any,
    help: str,
    read: Callable[[str], Any] = readers.text,
    *,
    unit: str = "",
    secret: bool = False,
    default_label: str = "",
) -> Any:
    """One field of Settings; `default_label` is shown in the table in place of a default that is no value.

    Field, default and reader have one type: mypy refuses a default or a reader of another
    (tests/app/settings/test_types.py).
    """
    metadata = {
        "name": name,
        "help": help,
        "read": read,
        "unit": unit,
        "secret": secret,
        "default_label": default_label,
    }
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What the table, `python -m app config` and `load` need to know of one setting."""

    attribute: str
    name: str
    help: str
    read: Callable[[str], Any]
    default: Any
    unit: str
    secret: bool
    default_label: str


def specs_of(settings: type[Any]) -> tuple[FieldSpec, ...]:
    """The settings that a class declares, in its order."""
    specs = []
    for item in fields(settings):
        if "name" in item.metadata:
            default = item.default if item.default is not MISSING else {}
            specs.append(FieldSpec(attribute=item.name, default=default, **item.metadata))
    return tuple(specs)
