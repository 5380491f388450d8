"""`python -m app dead-letters`: list, requeue or drop what could not be processed."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

import orjson
import redis

from app.config import Settings
from app.errors import BadMessage, NotDurable
from app.message import decode, encode
from app.redis_client import away, connect
from app.router_line import parse
from app.store import dead_letters
from app.store.asides import aside_key
from app.store.dead_letters import DeadLetter
from app.streams import Writer, open_writer
from drain.ingest import Delivery, has_asides, keep_asides, values_of
from drain.logplex import Body, read_body

APPEND_TIMEOUT_S = 10.0
_ID = re.compile(r"[0-9]{1,15}-[0-9]{1,15}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "What could not be processed is kept, up to 10,000 entries, with the reason.\n"
        "requeue runs it through the parser again and writes what is now readable to the log."
    )
    parser.epilog = (
        "examples:\n"
        "  python -m app dead-letters list\n"
        "  python -m app dead-letters list --json | jq .reason\n"
        "  python -m app dead-letters requeue --all\n"
        "  python -m app dead-letters drop 1795444755937-0\n"
        "exit code: 0 done, 1 some are not there or could not be requeued, 2 bad usage"
    )
    parser.add_argument("action", choices=("list", "requeue", "drop"))
    parser.add_argument("id", nargs="*", help="ids as `list` shows them")
    parser.add_argument("--all", action="store_true", help="every entry that is there now")
    parser.add_argument("--json", action="store_true", help="list: one JSON object a line, with the value")


def run(args: argparse.Namespace, settings: Settings) -> int:
    store = connect(settings, connections=1, timeout_s=10)
    try:
        if args.action == "list":
            if args.id:
                print("dead-letters list: takes no ids, it shows all entries", file=sys.stderr)
                return 2
            return _list(store, args.json)
        for entry_id in args.id:
            if not _ID.fullmatch(entry_id):
                print(f"{entry_id}: not an id, which looks like 1795444755937-0", file=sys.stderr)
                return 2
        if bool(args.id) == args.all:
            print(f"dead-letters {args.action}: name ids, or say --all", file=sys.stderr)
            return 2
        chosen = list(_chosen(store, args.id))
        for entry_id in sorted(set(args.id) - {letter.id for letter in chosen}):
            print(f"{entry_id}: not there", file=sys.stderr)
        are_all_there = len(chosen) == len(set(args.id)) or args.all
        if args.action == "drop":
            print(f"dropped {dead_letters.drop(store, [letter.id for letter in chosen])}")
            return 0 if are_all_there else 1
        return _requeue(store, open_writer(settings), chosen) or (0 if are_all_there else 1)
    except redis.RedisError as fault:
        print(away(settings, fault), file=sys.stderr)
        return 1
    finally:
        store.close()


def _chosen(store: redis.Redis, ids: list[str]) -> Iterator[DeadLetter]:
    if not ids:
        yield from dead_letters.read(store)
    for entry_id in dict.fromkeys(ids):
        yield from dead_letters.read(store, entry_id, entry_id)


def _list(store: redis.Redis, as_json: bool) -> int:
    found = 0
    for letter in dead_letters.read(store):
        found += 1
        print(_json(letter) if as_json else _line(letter))
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
    return orjson.dumps(entry).decode()


def _requeue(store: redis.Redis, writer: Writer, letters: list[DeadLetter]) -> int:
    done = 0
    try:
        for letter in letters:
            done += _requeue_one(store, writer, letter)
    finally:
        writer.close()
    print(f"requeued {done} of {len(letters)}")
    return 0 if done == len(letters) else 1


def _requeue_one(store: redis.Redis, writer: Writer, letter: DeadLetter) -> bool:
    # An id of its own: the frame it came with is in the log already.
    delivery = Delivery(f"dead-letter.{letter.id}", letter.app, announced=None)
    parsed, values, too_large = _read(letter, delivery)
    if not values and not parsed.notices:
        print(f"{letter.id}: still not readable ({letter.reason})")
        return False

    def beside() -> str:
        # What of it is still not readable is kept, as letters of their own.
        if not has_asides(parsed, too_large):
            return ""
        keep_asides(parsed, too_large, delivery, store)
        return aside_key(delivery.frame_id)

    try:
        writer.append(delivery.frame_id, values, APPEND_TIMEOUT_S, beside)
    except NotDurable as fault:
        print(f"{letter.id}: {fault}")
        return False
    dead_letters.drop(store, [letter.id])
    return True


def _read(letter: DeadLetter, delivery: Delivery) -> tuple[Body, list[bytes], list[bytes]]:
    """What the letter holds, its messages as values of the topic, and its lines that are too large for
    it; nothing where it cannot be read."""
    if not letter.is_whole:
        return Body(), [], []
    if letter.kind == "message":
        return Body(), _message(letter.value, delivery), []
    value = letter.value
    parsed = read_body(b"%d %s" % (len(value), value) if letter.kind == "line" else value)
    return parsed, *values_of(parsed.router, delivery)


def _message(value: bytes, delivery: Delivery) -> list[bytes]:
    try:
        message = decode(value)
    except BadMessage:
        return []
    if parse(message["msg"]) is None:
        return []
    message["id"] = f"{delivery.frame_id}.0"
    return [encode(message)]
