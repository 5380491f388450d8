"""The golden run: a fixed input at a fixed clock, and all that Redis holds after it.

`python -m tests.support.golden` writes the dumps in tests/app/store/golden/ anew. That is right only
where a change of what is stored is meant: these files stand for installations that have data.
"""

from __future__ import annotations

import base64
import gzip
import json
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import redis

from app.loop_guard import is_marked
from app.message import RouterMessage
from app.router_line import RouterLine, path_only
from app.store import keys, replies
from app.store.apply import apply, limits
from app.store.claims import offsets_claim
from app.store.dead_letters import dead_letter
from app.store.frame_events import Loss, record_once
from app.store.journal import Journal
from consumers.metrics.admission import Admission
from consumers.metrics.aggregate import Aggregator
from servers.redis_server import RedisServer

NOW_S = 2_209_032_000
"""2040-01-01T12:00:00Z. It lies ahead, because Redis would drop at once what has expired."""

ROUTES_MAX = 12
GROUP = "metrics"
FOLDER = Path(__file__).parents[1] / "app" / "store" / "golden"
FIGURES = FOLDER / "figures.json.gz"
JOURNAL = FOLDER / "journal.json.gz"
"""The same input, but the last batch is still in the journal."""

EARLIER_FIGURES = FOLDER / "earlier_figures.json.gz"
EARLIER_JOURNALS = (FOLDER / "earlier_journal.json.gz", FOLDER / "earlier_journal2.json.gz")
"""Of the same input, written by versions that counted no failures, no aborts and no connections; their
journals have two forms. They stand for their meaning of an error. Nothing writes them anew."""

Dump = dict[str, dict[str, Any]]

PATHS = (
    "/",
    "/users/42",
    "/users/77?tab=1",
    "/orders/8601b555-0c9d-4b0f-8a3c-7f0e6d0f2a11",
    "/é d",
    "/a%20b",
)
RARE_PATHS = tuple(f"/page{number}" for number in range(14))


def route_of(line: RouterLine) -> str:
    """The names that these paths had when the files were written."""
    return re.sub(r"(?<=/users/)[0-9]+", ":id", re.sub("(?<=/orders/).+", ":uuid", path_only(line.path)))


def run(store: redis.Redis, *, is_journal_left: bool = False) -> None:
    """Counts the input as a metrics worker does, also once more into what is there."""
    # The version that wrote the dumps signed no marks.
    aggregator = Aggregator(route_of, Admission(store, ROUTES_MAX), is_replayed=is_marked)
    journal = Journal(store, GROUP, limits(ROUTES_MAX))
    all_batches = list(batches())
    first = replies.number(store.hget(keys.positions(GROUP), "0"))
    for number, batch in enumerate(all_batches, first):
        is_last = number == first + len(all_batches) - 1
        if is_last:
            journal.cost.units_max = 1
        claim = offsets_claim(keys.positions(GROUP), [(0, number, number + 1, number > 0)])
        changes = aggregator.changes(batch, NOW_S)
        changes.examples.clear()  # The version that made the golden figures kept none.
        apply(store, GROUP, claim, changes, ROUTES_MAX, journal)
        if not (is_last and is_journal_left):
            journal.finish()
    losses = [Loss("L10", 7), Loss("L13", 2)]
    letters = [dead_letter("line", "drain", "not syslog", b"\xff\x00x", "shop")]
    for app, frame_id in (("shop", "one"), ("shop", "one"), ("", "two")):
        record_once(store, frame_id, app, losses, letters, NOW_S)


def batches() -> Iterator[list[RouterMessage]]:
    """Apps, routes, codes, websockets, errors, windows of every length, odd values, (other), copies."""
    chance = random.Random(15)
    numbers = iter(range(10**6))

    def message(line: str, app: str, age_s: float, **more: Any) -> RouterMessage:
        moment = NOW_S - age_s
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + ".123456+00:00"
        return cast(
            RouterMessage,
            {
                **{"prival": 158, "version": 1, "timestamp": stamp, "hostname": "host"},
                **{"app_name": "heroku", "procid": "router", "msgid": None, "structured_data": None},
                **{"msg": line, "id": f"f.{next(numbers)}", "app": app, "received_at": int(moment * 1000)},
                **more,
            },
        )

    def line(path: str) -> str:
        kind = chance.choices(("usual", "error", "websocket", "odd"), (80, 8, 6, 6))[0]
        at, code = "at=info", ""
        status = chance.choices(("200", "304", "404", "500"), (85, 5, 5, 5))[0]
        service = f"{round(chance.lognormvariate(3.5, 1.2))}ms"
        method = chance.choices(("GET", "POST", "PUT", "HEAD", "BREW"), (70, 20, 5, 3, 2))[0]
        size = str(chance.randrange(40_000))
        if kind == "error":
            code = f'code={chance.choice(("H12", "H18", "H27", "H99", "X7"))} desc="what it is" '
            at, status = "at=error", chance.choice(("503", "499", "500"))
        elif kind == "websocket":
            status, service, path = "101", f"{chance.randrange(10**4, 10**7)}ms", "/cable"
        elif kind == "odd":
            status = chance.choice(("", "abc", "0", "600"))
            service = chance.choice(("", "12s", "0.004ms", "5.25ms", "99999999999ms"))
            size = chance.choice(("", "many", "9" * 30))
        return (
            f'{at} {code}method={method} path="{path}" host={chance.choice(("a.example", "b.example", ""))} '
            f'request_id={chance.choice(("8601b555", "8601b556"))} fwd="192.0.2.1" '
            f"dyno=web.{chance.randrange(1, 9)} connect={chance.choice((0, 1, 1, 2, 7))}ms "
            f"service={service} status={status} bytes={size} protocol=https"
        )

    def some(count: int, paths: tuple[str, ...], span_s: float, age_s: float = 0) -> list[RouterMessage]:
        return [
            message(
                line(chance.choice(paths)),
                chance.choices(("shop", "blog", "", "no app!"), (5, 3, 1, 0.3))[0],
                age_s + chance.random() * span_s,
            )
            for _ in range(count)
        ]

    yield some(200, PATHS, 60)
    yield some(150, PATHS + RARE_PATHS, 1_200)
    yield some(60, PATHS, 4 * 3_600, 3_000) + some(30, PATHS, 5 * 86_400, 80_000)
    yield [
        message("no pairs at all", "shop", 1),
        message('at=info path="" status=200', "shop", 1),
        message('at=info path="/" request_id=replay-1 status=200', "shop", 1),
        message('at=info path="/" status=200 connect=1ms', "shop", 1, timestamp="broken"),
        message('at=info path="/" status=200', "shop", 40 * 86_400),
        message('at=info path="/" status=200', "shop", -8_000, received_at=NOW_S * 1000),
        *(
            message(f'at=info path="/" host=h{number}.example dyno=run.{number} status=200', "shop", 2)
            for number in range(230)
        ),
    ]
    yield some(200, PATHS, 600)


# --- dumps ----------------------------------------------------------------------------------


def dump(store: redis.Redis) -> Dump:
    """Every key: its type, how long it lives, and its bytes; without the ids of streams, which are times."""
    return {_text(key): _dumped(store, key) for key in sorted(cast(list[bytes], store.keys()))}


def _dumped(store: redis.Redis, key: bytes) -> dict[str, Any]:
    kind = cast(bytes, store.type(key)).decode()
    found: Any = store
    value: list[Any]
    if kind == "hash":
        value = sorted([_text(field), _text(item)] for field, item in found.hgetall(key).items())
    elif kind == "set":
        value = sorted(_text(item) for item in found.smembers(key))
    elif kind == "string":
        value = [_text(found.get(key))]
    elif kind == "list":
        value = [_text(item) for item in found.lrange(key, 0, -1)]
    elif kind == "zset":
        value = [[_text(item), score] for item, score in found.zrange(key, 0, -1, withscores=True)]
    elif kind == "stream":
        value = [[[_text(k), _text(v)] for k, v in fields.items()] for _, fields in found.xrange(key)]
    else:
        raise AssertionError(f"{key!r}: a dump knows no {kind}")
    return {"type": kind, "lives": _life(store, key), "value": value}


def _life(store: redis.Redis, key: bytes) -> str:
    """`ever`, `until <Unix s>` for what ends in 2040, or `for <s>` from the write on."""
    left_s = store.ttl(key)
    if left_s < 0:
        return "ever"
    if left_s > 365 * 86_400:
        (seconds, micros), left_ms = store.time(), store.pttl(key)
        return f"until {round(seconds + micros / 1e6 + left_ms / 1e3)}"
    return f"for {-(-left_s // 60) * 60}"


def load(store: redis.Redis, found: Dump) -> None:
    """Writes a dump into an empty Redis."""
    pipeline = store.pipeline()
    for name, entry in found.items():
        key, value = _bytes(name), entry["value"]
        if entry["type"] == "hash":
            pipeline.hset(key, mapping={_bytes(field): _bytes(item) for field, item in value})
        elif entry["type"] == "set":
            pipeline.sadd(key, *map(_bytes, value))
        elif entry["type"] == "string":
            pipeline.set(key, _bytes(value[0]))
        elif entry["type"] == "zset":
            pipeline.zadd(key, {_bytes(item): score for item, score in value})
        elif entry["type"] == "list":
            pipeline.rpush(key, *map(_bytes, value))
        else:
            for fields in value:
                pipeline.xadd(key, {_bytes(field): _bytes(item) for field, item in fields})
        life, _, seconds = entry["lives"].partition(" ")
        if life == "until":
            pipeline.expireat(key, int(seconds))
        elif life == "for":
            pipeline.expire(key, int(seconds))
    pipeline.execute()


def readable(store: redis.Redis) -> Dump:
    """A dump with time windows unpacked, because the order of their fields means nothing; and without
    the account of the letters' place in their stream, which is a time."""
    found = dump(store)
    for name, entry in found.items():
        if name.startswith("tailrace:") and entry["type"] == "hash" and entry["lives"].startswith("until"):
            unpacked = cast(list[bytes], store.eval(_UNPACK, 1, _bytes(name)))
            if unpacked:
                pairs = zip(unpacked[::2], unpacked[1::2], strict=True)
                entry["value"] = {_text(number): json.loads(counts) for number, counts in pairs}
        if name == "tailrace:dead-letters:account":
            entry["value"] = [pair for pair in entry["value"] if pair[0] != "upto"]
    return found


_UNPACK = """
if not string.match(KEYS[1], ':%d+:%d+$') or string.match(KEYS[1], 'losses') then return {} end
local flat = redis.call('HGETALL', KEYS[1])
for i = 2, #flat, 2 do flat[i] = cjson.encode(cmsgpack.unpack(flat[i])) end
return flat
"""


def read(path: Path) -> Dump:
    return cast(Dump, json.loads(gzip.decompress(path.read_bytes())))


def write(path: Path, found: Dump) -> None:
    path.write_bytes(gzip.compress(json.dumps(found, indent=0).encode(), mtime=0))


def _text(value: bytes) -> str:
    """The text itself, or `base64:...` where it is none."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(value).decode()


def _bytes(value: str) -> bytes:
    return base64.b64decode(value[7:]) if value.startswith("base64:") else value.encode()


def main() -> None:
    """Writes both dumps."""
    with RedisServer() as server, redis.Redis.from_url(server.url) as store:
        for path, is_journal_left in ((FIGURES, False), (JOURNAL, True)):
            store.flushall()
            run(store, is_journal_left=is_journal_left)
            write(path, dump(store))


if __name__ == "__main__":
    main()
