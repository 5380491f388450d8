"""`python -m app dead-letters`: list, requeue or drop what could not be processed."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

import redis

from app.errors import BadMessage, NotDurable
from app.escaping import for_terminal, json_text
from app.log import Writer, open_log
from app.masking import safe_word
from app.message import decode, encode, message_id
from app.redis_client import connect, unavailable_error
from app.router_line import parse
from app.settings import Settings
from app.store import dead_letters
from app.store.dead_letters import DeadLetter
from drain.instruments import Instruments
from drain.receivers.ingest import ingest
from drain.receivers.registry import receiver_named

APPEND_TIMEOUT_S = 10.0
_ID = re.compile(r"[0-9]{1,15}-[0-9]{1,15}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "What could not be processed is kept with the reason. When there is too much of it, the oldest\n"
        "entries are dropped and counted.\n"
        "requeue parses entries again and writes what can be read now to the log."
    )
    parser.epilog = (
        "examples:\n"
        "  python -m app dead-letters list\n"
        "  python -m app dead-letters list --json | jq .reason\n"
        "  python -m app dead-letters requeue --all\n"
        "  python -m app dead-letters drop 1795444755937-0\n"
        "exit code: 0 done, 1 some were not found or could not be requeued, 2 bad usage"
    )
    parser.add_argument("action", choices=("list", "requeue", "drop"))
    parser.add_argument("id", nargs="*", help="ids as `list` shows them")
    parser.add_argument("--all", action="store_true", help="every entry there is now")
    parser.add_argument("--json", action="store_true", help="list: one JSON object per line, with the value")


def run(args: argparse.Namespace, settings: Settings) -> int:
    store = connect(settings, connections=1, timeout_s=10)
    try:
        if args.action == "list":
            if args.id:
                print("dead-letters list: takes no ids; it shows all entries", file=sys.stderr)
                return 2
            return _list(store, args.json)
        for entry_id in args.id:
            if not _ID.fullmatch(entry_id):
                print(f"{safe_word(entry_id)}: not an id; ids look like 1795444755937-0", file=sys.stderr)
                return 2
        if bool(args.id) == args.all:
            print(f"dead-letters {args.action}: give ids or --all", file=sys.stderr)
            return 2
        chosen = _Chosen(store, list(dict.fromkeys(args.id)))
        done = _drop(store, chosen) if args.action == "drop" else _requeue(store, settings, chosen)
        for entry_id in sorted(chosen.missing):
            print(f"{entry_id}: not found", file=sys.stderr)
        return 1 if chosen.missing or not done else 0
    except redis.RedisError as fault:
        print(unavailable_error(settings, fault), file=sys.stderr)
        return 1
    finally:
        store.close()


class _Chosen:
    """The letters of these ids, or all that are there now; one after the other, as they may be large."""

    def __init__(self, store: redis.Redis, ids: list[str]) -> None:
        self._store = store
        self._ids = ids
        self._newest = dead_letters.newest_id(store)
        self.missing: list[str] = []

    def __iter__(self) -> Iterator[DeadLetter]:
        if not self._ids and self._newest:
            yield from dead_letters.read(self._store, last_id=self._newest)
        for entry_id in self._ids:
            letter = next(dead_letters.read(self._store, entry_id, entry_id), None)
            if letter is None:
                self.missing.append(entry_id)
            else:
                yield letter


def _drop(store: redis.Redis, chosen: _Chosen) -> bool:
    print(f"dropped {dead_letters.drop(store, (letter.id for letter in chosen))}")
    return True


def _list(store: redis.Redis, as_json: bool) -> int:
    found = 0
    for letter in dead_letters.read(store):
        found += 1
        print(_json(letter) if as_json else for_terminal(_line(letter)))
    if not as_json:
        print(f"{found} dead letter(s)")
    return 0


def _line(letter: DeadLetter) -> str:
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(letter.time_ms / 1000))
    start = letter.value[:60].decode("utf-8", "backslashreplace").replace("\n", "\\n")
    return f"{letter.id}  {moment}  {letter.source}  {letter.kind}  {letter.reason}  {start!r}"


def _json(letter: DeadLetter) -> str:
    entry: dict[str, Any] = {
        "id": letter.id,
        "time_ms": letter.time_ms,
        "kind": letter.kind,
        "source": letter.source,
        "app": letter.app,
        "reason": letter.reason,
        "bytes": letter.bytes_before_cut,
        "value": letter.value.decode("utf-8", "backslashreplace"),
    }
    return json_text(entry)


def _requeue(store: redis.Redis, settings: Settings, chosen: _Chosen) -> bool:
    """True where each that is there was requeued."""
    done = count = 0
    writer = open_log(settings).writer()
    try:
        for letter in chosen:
            done += _requeue_one(store, writer, letter, settings)
            count += 1
    finally:
        writer.close()
    print(f"requeued {done} of {count}")
    return done == count


def _requeue_one(store: redis.Redis, writer: Writer, letter: DeadLetter, settings: Settings) -> bool:
    if not letter.is_complete:
        print(f"{letter.id}: only {len(letter.value)} of its {letter.bytes_before_cut} bytes were kept")
        return False
    # An id of its own: the frame it came with is in the log already.
    frame_id = f"dead-letter.{letter.id}"
    try:
        if letter.kind == "message":
            is_readable = _write_message(letter, frame_id, writer)
        else:
            is_readable = _write_frame(letter, frame_id, writer, store, settings)
    except NotDurable as fault:
        print(f"{letter.id}: {fault}")
        return False
    if not is_readable:
        print(f"{letter.id}: still cannot be read ({letter.reason})")
        return False
    dead_letters.drop(store, [letter.id])
    return True


def _write_frame(
    letter: DeadLetter, frame_id: str, writer: Writer, store: redis.Redis, settings: Settings
) -> bool:
    """Takes the letter as its receiver would; False where nothing in it can be read. Raises NotDurable.

    What of it is still not readable is kept, as letters of their own.
    """
    receiver = receiver_named(letter.source)
    body = receiver.as_body(letter.value) if letter.kind == "line" else letter.value
    frame = receiver.parse(body, frame_id, letter.app, None)
    if not frame.messages and not frame.platform and not frame.notices:
        return False
    ingest(
        frame,
        writer,
        store,
        Instruments(),
        APPEND_TIMEOUT_S,
        settings.drain_tokens,
        keep_users=settings.keep_users,
    )
    return True


def _write_message(letter: DeadLetter, frame_id: str, writer: Writer) -> bool:
    """Puts the value of the topic into the log again; False where it cannot be read. Raises NotDurable."""
    try:
        message = decode(letter.value)
    except BadMessage:
        return False
    message["id"] = message_id(frame_id, 0)
    if message.get("procid", "router") != "router":
        writer.append(frame_id, [], APPEND_TIMEOUT_S, platform=[encode(message)])
        return True
    if parse(message["msg"]) is None:
        return False
    writer.append(frame_id, [encode(message)], APPEND_TIMEOUT_S)
    return True
