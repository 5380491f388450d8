"""The outbox: messages on their way to targets, each until that took it, or for ten minutes.

`commit` (board.py) puts a message in, once for each target. Whoever sends it claims it first, and says then
how that ended. A claim whose holder no longer has the lease is one of which nobody knows how it ended: it is
sent once more, with the same id. Messages of one incident go to a target in order: a later one waits for the
earlier.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import redis

from app.alerts.message import Message, MessageKind
from app.alerts.redis.lease import read_script
from app.alerts.redis.stored import decoded
from app.store import keys, replies
from app.store.bounds import ALERT_TARGETS_MAX
from app.store.settle import run_raw

GIVE_UP_S = 600
"""From the first attempt."""

FIRST_DELAY_S = 2.0
MAX_DELAY_S = 60.0

REASON_MAX_CHARS = 200

_UNREADABLE = 5
"""So many messages that cannot be read keep none behind them from being sent."""

_CLAIM = read_script("outbox.lua", "claim.lua")
_DELIVERED = read_script("outbox.lua", "delivered.lua")
_FAILED = read_script("outbox.lua", "failed.lua")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one target."""

    id: str
    """Of the message and the target."""
    target: str
    message: Message
    added_s: float
    attempts: int = 0
    """How often sending it was begun."""
    due_s: float = 0.0
    """When it is tried next."""
    reason: str = ""
    """Why it failed last."""
    begun_s: float | None = None
    """When sending it was first begun."""


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """How deliveries to a target go. Times in Unix seconds."""

    name: str
    waiting: int = 0
    delivered_s: int | None = None
    """The last one that it took."""
    failed_s: int | None = None
    reason: str = ""
    """Why it failed then."""
    given_up: int = 0
    """Messages that it never took, all in all."""
    given_up_s: int | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where a delivery stands, as outbox.lua has it."""

    target: str
    sequence: int
    incident: str = ""
    kind: MessageKind = "firing"
    added_s: float = 0.0
    attempts: int = 0
    begun_s: float | None = None
    claimed_s: float = 0.0
    due_s: float = 0.0
    reason: str = ""
    by: str = ""
    """The holder that claimed it and has not said how that ended; empty: none."""

    def ready_s(self, holder: str) -> float | None:
        """When it may be sent, Unix s; None: this holder is sending it now."""
        if not self.by:
            return self.due_s
        return None if self.by == holder else self.unclaimed().due_s

    def unclaimed(self) -> Waiting:
        """As it is where nobody knows how sending it ended. It is due at once the first time. Who fails each
        time without a word must not send it without end, so then it waits."""
        pause_s = retry_delay_s(self.attempts) if self.attempts > 1 else 0.0
        return replace(self, by="", due_s=self.claimed_s + pause_s)


@dataclass(frozen=True, slots=True)
class Outbox:
    """Everything that waits."""

    holder: str
    """Who has the lease; empty: nobody."""
    waiting: Mapping[str, Waiting]
    """By id."""

    def first(self, target: str) -> list[tuple[str, Waiting]]:
        """The first message of each incident that waits for the target, in the order of the messages; with ""
        for all targets."""
        found: dict[tuple[str, str], tuple[str, Waiting]] = {}
        for name, one in sorted(self.waiting.items(), key=lambda item: item[1].sequence):
            if not target or one.target == target:
                found.setdefault((one.target, one.incident), (name, one))
        return list(found.values())

    def without_claims_of(self, holder: str, target: str) -> Outbox:
        """As the one thread of this holder that sends to the target sees it between two messages. It is
        sending none, so what it claimed may be sent: Redis was not told how that ended, or has forgotten it
        (the answer to the claim was lost, the lease had run out, or a replica has taken over)."""
        waiting = {
            name: one.unclaimed() if (one.by, one.target) == (holder, target) else one
            for name, one in self.waiting.items()
        }
        return replace(self, waiting=waiting)

    def next_s(self, target: str) -> float | None:
        """When the next message for the target may be sent; None: none waits."""
        times = [one.ready_s(self.holder) for _, one in self.first(target)]
        return min((at_s for at_s in times if at_s is not None), default=None)


def retry_delay_s(attempts: int) -> float:
    """How long to wait after so many attempts, at least one: 2 s, 4, 8, ... 60 s."""
    return float(min(MAX_DELAY_S, FIRST_DELAY_S * 2 ** min(attempts - 1, 10)))


def retry_s(begun_s: float, attempts: int, now_s: float, after_s: float | None = None) -> float | None:
    """When to try again after an attempt that failed now; None: not any more. `after_s`: how long the target
    asks to wait. The last attempt is made when time is up."""
    last_s = begun_s + GIVE_UP_S
    if now_s >= last_s:
        return None
    return min(last_s, now_s + max(retry_delay_s(attempts), after_s or 0.0))


def delivery_id(message: Message, target: str) -> str:
    return f"{message.id} {target}"


def for_target(message: Message, target: str) -> Message:
    """The message as this target gets it."""
    return replace(message, to=(target,))


def read_outbox(store: redis.Redis) -> Outbox:
    """Without the messages themselves. Raises redis.RedisError."""
    pipeline = store.pipeline(transaction=False)
    pipeline.get(keys.ALERT_LEASE)
    pipeline.hgetall(keys.ALERT_OUTBOX)
    holder, found = pipeline.execute()
    read = ((replies.text(name), decoded(Waiting, text)) for name, text in found.items())
    return Outbox(replies.text(holder), {name: one for name, one in read if one is not None})


def due(store: redis.Redis, now_s: float, target: str = "", most: int = 100) -> list[Delivery]:
    """Those that may be sent now, the oldest first, and those whose sender died: to one target or, with "",
    to all. Of an incident one at a time to each target. Raises redis.RedisError."""
    return take(store, read_outbox(store), now_s, target, most)


def take(store: redis.Redis, outbox: Outbox, now_s: float, target: str, most: int = 1) -> list[Delivery]:
    """As `due`, of what was read. One whose message cannot be read is left out."""
    ready = [(name, one, one.ready_s(outbox.holder)) for name, one in outbox.first(target)]
    chosen = [(name, one) for name, one, at_s in ready if at_s is not None and _is_due(at_s, now_s)]
    chosen = chosen[: most + _UNREADABLE]
    if not chosen:
        return []
    texts = cast(
        Sequence[bytes | None], store.hmget(keys.ALERT_OUTBOX_MESSAGES, [name for name, _ in chosen])
    )
    messages = [decoded(Message, text) for text in texts]
    return [
        Delivery(
            id=name,
            target=one.target,
            message=message,
            added_s=one.added_s,
            attempts=one.attempts,
            due_s=one.due_s,
            reason=one.reason,
            begun_s=one.begun_s,
        )
        for (name, one), message in zip(chosen, messages, strict=True)
        if message is not None
    ][:most]


def _is_due(at_s: float, now_s: float) -> bool:
    """Also what is later than anything waits: the clock of who wrote it was ahead."""
    return not now_s < at_s <= now_s + GIVE_UP_S


def claim(store: redis.Redis, holder: str, delivery: Delivery, now_s: float) -> bool:
    """Just before it is sent. False: it was delivered or given up meanwhile, or this holder does not have the
    lease. Raises redis.RedisError: then it may be claimed."""
    return _claim(store, holder, delivery.id, now_s)


def delivered(store: redis.Redis, delivery: Delivery, now_s: float) -> None:
    """Takes it off the outbox. Also without the lease: it is true whoever says it. Raises
    redis.RedisError."""
    names = [keys.ALERT_OUTBOX, keys.ALERT_OUTBOX_MESSAGES, keys.ALERT_TARGETS]
    run_raw(store, _DELIVERED, names, [delivery.id, delivery.target, int(now_s), ALERT_TARGETS_MAX])


def failed(
    store: redis.Redis, holder: str, delivery: Delivery, reason: str, due_s: float | None, now_s: float
) -> bool:
    """It is due again then; None: it is given up. False: it is another holder's now, or gone, and nothing was
    written. `reason` must name no URL. Raises redis.RedisError."""
    return _fail(store, holder, delivery.id, delivery.target, reason, due_s, now_s)


def give_up_undeliverable(
    store: redis.Redis, holder: str, targets: Collection[str], now_s: float
) -> list[tuple[str, str, str]]:
    """Gives up what waits for targets that the settings no longer name, and what this version cannot read,
    once another process could have sent it: (target, id of the message, why). Raises redis.RedisError."""
    outbox = read_outbox(store)
    old = [(name, one) for name, one in outbox.waiting.items() if now_s - one.added_s > GIVE_UP_S]
    if not old:
        return []
    texts = cast(Sequence[bytes | None], store.hmget(keys.ALERT_OUTBOX_MESSAGES, [name for name, _ in old]))
    found = []
    for (name, one), text in zip(old, texts, strict=True):
        is_end_of_gone = one.target not in targets and one.kind == "resolved"
        if one.target not in targets:
            reason = "the settings name no such target"
        elif decoded(Message, text) is None:
            reason = "another version wrote it, and this one cannot read it"
        else:
            continue
        # One that a dead process claimed is that one's until it is claimed again.
        is_ours = one.by in ("", holder) or _claim(store, holder, name, now_s)
        # Whoever takes a target out during an incident need not hear that it missed the end.
        due_s: Literal["forget"] | None = "forget" if is_end_of_gone else None
        if is_ours and _fail(store, holder, name, one.target, reason, due_s, now_s) and not is_end_of_gone:
            found.append((one.target, name.removesuffix(f" {one.target}"), reason))
    return found


def _claim(store: redis.Redis, holder: str, name: str, now_s: float) -> bool:
    return bool(run_raw(store, _CLAIM, [keys.ALERT_LEASE, keys.ALERT_OUTBOX], [holder, name, repr(now_s)]))


def _fail(
    store: redis.Redis,
    holder: str,
    name: str,
    target: str,
    reason: str,
    due_s: float | Literal["forget"] | None,
    now_s: float,
) -> bool:
    names = [keys.ALERT_LEASE, keys.ALERT_OUTBOX, keys.ALERT_OUTBOX_MESSAGES, keys.ALERT_TARGETS]
    arguments: list[bytes | str | int] = [
        *(holder, name, target, int(now_s), ALERT_TARGETS_MAX, _stored(reason)),
        "" if due_s is None else due_s if due_s == "forget" else repr(due_s),
    ]
    return bool(run_raw(store, _FAILED, names, arguments))


def _stored(reason: str) -> bytes:
    return reason[:REASON_MAX_CHARS].encode("utf-8", "replace")


def statuses(store: redis.Redis) -> list[TargetStatus]:
    """Of all targets that had a message, by name. Raises redis.RedisError."""
    found = replies.texts(store.hgetall(keys.ALERT_TARGETS))
    waiting: dict[str, int] = {}
    for one in read_outbox(store).waiting.values():
        waiting[one.target] = waiting.get(one.target, 0) + 1
    known = {
        name: decoded(TargetStatus, found.get(name)) or TargetStatus(name)
        for name in sorted({*found, *waiting})
    }
    return [replace(status, waiting=waiting.get(name, 0)) for name, status in known.items()]
