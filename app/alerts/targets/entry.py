"""One entry of `targets:` in the file: reads its values, and collects everything that is wrong with it.

What is secret stands in the file as `${NAME}`, never as itself. Where NAME is not in the environment, the
target is not usable but the file is not wrong: every process reads it, and only what sends needs the secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from app.alerts.targets.target import Target
from app.alerts.targets.values import host_of
from app.errors import BadSettings
from app.masking import safe_word

T = TypeVar("T")

_VARIABLE = re.compile(r"\$\{(\w+)\}")


class Entry:
    """`keys`: those that its kind has, besides `kind`."""

    def __init__(
        self, name: str, values: Mapping[str, Any], keys: Sequence[str], environ: Mapping[str, str]
    ) -> None:
        self._name = name
        self._values = values
        self._environ = environ
        self._faults: list[str] = []
        self._unset: list[str] = []
        for key in values:
            if key not in ("kind", *keys):
                self._faults.append(f"{unknown('key', key, keys)}; its keys are kind, {', '.join(keys)}")

    def secret(self, key: str, read: Callable[[str], T], example: str) -> T | None:
        """A value that must stand in the file as `${NAME}`; None: it is missing, wrong or unset.
        `example`: a name for the variable."""
        value = self._values.get(key)
        if value is None:
            self._faults.append(f"`{key}` is missing: write {key}: '${{{example}}}' and set {example}")
            return None
        if not (isinstance(value, str) and _VARIABLE.fullmatch(value.strip())):
            self._faults.append(
                f"`{key}` is a secret, which belongs in the environment: write {key}: '${{{example}}}' "
                f"and set {example}"
            )
            return None
        return self.value(key, read)

    def value(self, key: str, read: Callable[[str], T], default: T | None = None) -> T | None:
        """A value in which `${NAME}` is read from the environment; a list counts as text with commas.
        `default`: where the key is not there; without one it must be."""
        value = self._values.get(key)
        if value is None:
            if default is None:
                self._faults.append(f"`{key}` is missing")
            return default
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            value = ",".join(value)
        if not isinstance(value, str):
            self._faults.append(f"`{key}` must be text")
            return None
        missing = [name for name in _VARIABLE.findall(value) if not self._environ.get(name, "").strip()]
        if missing:
            self._unset += missing
            return None
        try:
            return read(_VARIABLE.sub(lambda found: self._environ[found[1]].strip(), value.strip()))
        except ValueError as fault:
            self._faults.append(f"`{key}` {fault}")
            return None

    def fault(self, text: str) -> None:
        self._faults.append(text)

    def has_login(self, key: str) -> bool:
        """Whether the password of a URL stands in the file as itself."""
        login = str(self._values.get(key)).rpartition("@")[0].partition("//")[2]
        return bool(login) and not _VARIABLE.search(login.partition(":")[2] or login)

    def target(
        self,
        kind: str,
        *,
        url: str | None = "",
        secret: str | None = "",
        sender: str | None = "",
        recipients: tuple[str, ...] | None = (),
    ) -> Target:
        """Raises BadSettings with every fault."""
        if self._faults:
            raise BadSettings(self._faults)
        return Target(
            name=self._name,
            kind=kind,
            host=host_of(url or ""),
            url=url or "",
            secret=secret or "",
            sender=sender or "",
            recipients=recipients or (),
            unset=tuple(
                f"targets: {self._name}: {variable} is not in the environment"
                for variable in dict.fromkeys(self._unset)
            ),
        )


def unknown(what: str, word: object, known: Sequence[str]) -> str:
    """`unknown key ulr (did you mean url?)`."""
    nearest = difflib.get_close_matches(str(word), known, n=1)
    question = f" (did you mean {nearest[0]}?)" if nearest else ""
    return f"unknown {what} {safe_word(word)}{question}"
