"""Reads what the platform's API says about an app (procid `api`) into events. Pure.

Which sentences there are is documented nowhere in full. tests/support/platform_lines has each of them with
its source: Heroku's documents, its own tools that read these lines, or logs that people have published.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from app.platform.facts import Event
from app.platform.sentences import bounded, name, without_user
from app.store.bounds import EVENT_NAMES_MAX

_RELEASE = re.compile(r"Release v([0-9]{1,9}) created\b")
_COMMAND_STARTED = re.compile(r"Running release v([0-9]{1,9}) command")
_COMMAND_ENDED = re.compile(r"Release v([0-9]{1,9}) command (failed|succeeded)\b")
_ROLLBACK = re.compile(r"Roll(?:ed)? ?back to v([0-9]{1,9})\b", re.IGNORECASE)
_COMMIT = re.compile(r"[0-9a-fA-F]{7,40}")
_CONFIG_ENDS = (" config vars", " config var", " config")
_ATTACHMENT = re.compile(r"[A-Z][A-Z0-9_]{0,255}")
_REFERENCE = re.compile(r"@ref:([\w-]{1,64})")
_SENTENCE = re.compile(r"(?:[A-Z][\w-]*:?|@ref:\S+)(?: |\Z)")
"""How sentences begin. The lines of a release command, which come one by one as well, mostly do not."""

_BUILD_STATES = {"started": "started", "succeeded": "succeeded", "finished": "succeeded", "failed": "failed"}

_NOT_KEPT = ("Starting process with command", "Log session created")
"""The first holds a command, in which there may be secrets; that its one-off dyno starts is an event of the
dyno. The second comes whenever someone, or a tool every minute, reads the log with the CLI (both seen)."""


def app_event(line: str, at_ms: int) -> Event | None:
    """The event that a line of procid `api` tells; None for one that is not kept, or is no sentence."""
    sentence = line.partition("\n")[0].strip()
    if sentence.startswith(_NOT_KEPT):
        return None
    text, user = without_user(sentence)
    text = text.strip()
    word = text.partition(" ")[0]
    read = _READERS.get(word) or (_reference if word.startswith("@ref:") else None)
    event = read(text, at_ms, user) if read else None
    return event or _other(text, at_ms, user)


def build_event(line: str, at_ms: int) -> Event | None:
    """The event that a line of procid `slug-compiler` tells: `Slug compilation started` (seen, to 2016)."""
    sentence = line.partition("\n")[0].strip()
    if not sentence.startswith("Slug compilation "):
        return None
    return _build(sentence, at_ms, "")


def addon_event(line: str, at_ms: int) -> Event | None:
    """The event that a line of an add-on's procid tells: `Update DATABASE by user` (Heroku's own tools)."""
    if not line.startswith("Update "):
        return None
    text, user = without_user(line.partition("\n")[0].strip())
    return _update(text.strip(), at_ms, user)


_Reader = Callable[[str, int, str], Event | None]


def _release(text: str, at_ms: int, user: str) -> Event | None:
    if found := _RELEASE.match(text):
        return Event("release", at_ms, bounded(text), version=int(found[1]), user=user)
    if found := _COMMAND_ENDED.match(text):
        return Event("command", at_ms, bounded(text), version=int(found[1]), state=found[2], user=user)
    return None


def _running(text: str, at_ms: int, user: str) -> Event | None:
    if found := _COMMAND_STARTED.match(text):
        return Event("command", at_ms, bounded(text), version=int(found[1]), state="started", user=user)
    return None


def _deploy(text: str, at_ms: int, user: str) -> Event:
    """`Deploy 9154a1d2` of Git, `Deploy 0.0.1-SNAPSHOT` of the Java tools, `Deployed web (85aa64b988cf)` of
    an image, whose id is no commit (all seen); `Promote shop-staging v44 06a1a1f1` of a pipeline (documented
    as what `heroku releases` shows)."""
    last = text.rpartition(" ")[2]
    return Event("deploy", at_ms, bounded(text), commit=last if _COMMIT.fullmatch(last) else "", user=user)


def _promote(text: str, at_ms: int, user: str) -> Event:
    """Of a pipeline; or of a database, which `heroku pg:promote` makes DATABASE_URL (guessed)."""
    return _addon(text, at_ms, user) if len(text.split(" ", 2)) < 3 else _deploy(text, at_ms, user)


def _rollback(text: str, at_ms: int, user: str) -> Event | None:
    if found := _ROLLBACK.match(text):
        return Event("rollback", at_ms, bounded(text), version=int(found[1]), user=user)
    return None


def _config(text: str, at_ms: int, user: str) -> Event | None:
    """`Set A, B config vars`, `Remove A config vars` (seen); `Config add A` (documented, 2012). The text is
    made from the names alone, so that no value is ever kept, should one be sent."""
    verb, _, rest = text.partition(" ")
    if verb == "Config":
        verb, _, rest = rest.partition(" ")
        verb = verb.capitalize()
    else:
        end = next((end for end in _CONFIG_ENDS if rest.endswith(end)), None)
        if end is None:
            return None
        rest = rest.removesuffix(end)
    found = [word for word in re.split(r"[, ]+", rest) if word]
    names = _names(map(name, found))
    if not names:
        return None
    more = f" and {len(found) - len(names)} more" if len(found) > len(names) else ""
    said = bounded(f"{verb} {', '.join(names)}{more} config vars")
    return Event("config", at_ms, said, names=names, user=user)


def _scale(text: str, at_ms: int, user: str) -> Event | None:
    """`Scaled to web@3:Performance-L mailer@1:Standard-2X` (seen); `Scale to clock=1, web=3` (seen, 2014)."""
    sizes = [word.strip(",") for word in text.split() if "@" in word or "=" in word]
    if not sizes:
        return None
    return Event("scale", at_ms, bounded(text), names=_names(bounded(size, 64) for size in sizes), user=user)


def _build(text: str, at_ms: int, user: str) -> Event | None:
    """`Build started`, `Build succeeded`, `Build failed -- check your build output: https://...` (seen)."""
    words = text.split(" ", 3)
    last = words[2 if words[0] == "Slug" else 1] if len(words) > (words[0] == "Slug") + 1 else ""
    state = _BUILD_STATES.get(last.rstrip(".:,"))
    return Event("build", at_ms, bounded(text), state=state, user=user) if state else None


def _addon(text: str, at_ms: int, user: str) -> Event:
    """`Attach DATABASE (@ref:postgresql-curly-12345)` and `Detach ...` (seen); `Provision ...` (guessed)."""
    attachments = [word for word in text.split(" ", 8)[1:3] if _ATTACHMENT.fullmatch(word)]
    references = _REFERENCE.findall(text[:1000])
    names = _names(map(name, attachments + references))
    return Event("add-on", at_ms, bounded(text), names=names, user=user)


def _reference(text: str, at_ms: int, user: str) -> Event:
    """`@ref:postgresql-flat-02648 completed provisioning, setting DATABASE_URL.` (seen)."""
    setting = text.rpartition(" setting ")[2].strip(". ") if " setting " in text else ""
    variables = [word for word in re.split(r"[, ]+", setting) if _ATTACHMENT.fullmatch(word)]
    names = _names(map(name, _REFERENCE.findall(text[:1000]) + variables))
    return Event("add-on", at_ms, bounded(text), names=names, user=user)


def _update(text: str, at_ms: int, user: str) -> Event | None:
    """`Update DATABASE` (Heroku's own tools): an add-on has changed its config vars."""
    words = text.split(" ", 2)
    return _addon(text, at_ms, user) if len(words) > 1 and _ATTACHMENT.fullmatch(words[1]) else None


def _update_or_config(text: str, at_ms: int, user: str) -> Event | None:
    return _config(text, at_ms, user) or _update(text, at_ms, user)


def _other(text: str, at_ms: int, user: str) -> Event | None:
    if not _SENTENCE.match(text):
        return None
    said = bounded(text)
    lower = said.lower()
    if "add-on" in lower or "addon" in lower:
        return _addon(text, at_ms, user)
    return Event("other", at_ms, said, user=user)


def _names(names: Iterable[str]) -> tuple[str, ...]:
    """The first few, each once."""
    return tuple(dict.fromkeys(names))[:EVENT_NAMES_MAX]


_READERS: dict[str, _Reader] = {
    "Release": _release,
    "Running": _running,
    "Deploy": _deploy,
    "Deployed": _deploy,
    "Promote": _promote,
    "Rollback": _rollback,
    "Roll": _rollback,
    "Rolled": _rollback,
    "Set": _config,
    "Unset": _config,
    "Remove": _config,
    "Add": _config,
    "Config": _config,
    "Update": _update_or_config,
    "Scaled": _scale,
    "Scale": _scale,
    "Scaling": _scale,
    "Build": _build,
    "Attach": _addon,
    "Detach": _addon,
    "Provision": _addon,
    "Provisioning": _addon,
    "Deprovision": _addon,
    "Deprovisioning": _addon,
}
