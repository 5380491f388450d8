"""The table of an app's routes, as those see it who tend it: what rows there are, and taking rows out of it.

A row is never thrown away: it is retired, and its figures are added to those of another row. To retire it is
one short script, from which on its lines are counted elsewhere; its figures follow in steps of bounded cost
(move_rows.lua), taken by whichever worker gets to them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, cast

import orjson
import redis

from app.store import keys, replies
from app.store.apply import limits
from app.store.bounds import NOT_FOUND_STATUSES, PATHS_MAX
from app.store.journal import StepCost
from app.store.rows import ROWS_LUA
from app.store.schema import (
    FIGURES,
    LAST_SEEN,
    PATHS_HASH,
    PROMOTED,
    REQUESTS,
    TALK_NAMES,
    TOTALS_HASH,
    Count,
    Counts,
    Names,
    Sketch,
    hashes_of,
)
from app.store.settle import read_lua, run_raw

_RETIRE = read_lua("retire_rows.lua")
_MOVE = ROWS_LUA + read_lua("move_rows.lua")

ROWS_AT_ONCE = 200
"""Rows that one call of a script, or one pipeline, is about."""

PATHS_SHOWN = 20
"""Frequent paths that people are shown."""

AHEAD_S = 2 * 3_600
"""Windows lie at most this far ahead of the clock: lines at most an hour (consumers/metrics/aggregate.py)."""

By = Literal["worker", "operator"]


@dataclass(frozen=True, slots=True)
class RowUse:
    """How much a row is used. `last_s` and `promoted_s` are Unix s; 0: not known."""

    route: str
    digest: str
    requests: int
    last_s: int
    promoted_s: int
    is_not_found: bool
    """It has only ever answered as a path does that does not exist."""


@dataclass(frozen=True, slots=True)
class LearnedTemplate:
    """A template that stands for many rows: `/blog/:name`."""

    by: By
    at_s: int
    """When, Unix s."""
    is_pattern: bool = False
    """Names whole routes, as a pattern of `routes:` does. If not, it names the last segment of any route that
    begins like it."""
    is_forgotten: bool = False
    """An operator took it back: workers do not learn it again."""

    def dumps(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def loads(cls, text: str) -> LearnedTemplate:
        return cls(**orjson.loads(text))


@dataclass(frozen=True, slots=True)
class Move:
    """A row to retire, and the route to whose row its figures are added."""

    route: str
    digest: str
    into: str


def rows(store: redis.Redis, app: str) -> list[RowUse]:
    """All rows of an app's table, `(other)` and its kind too. Raises redis.RedisError."""
    digests = replies.texts(store.hgetall(keys.routes(app)))
    found: list[RowUse] = []
    names = list(digests)
    for at in range(0, len(names), ROWS_AT_ONCE):
        found += _uses(store, app, {name: digests[name] for name in names[at : at + ROWS_AT_ONCE]})
    return found


def some_rows(store: redis.Redis, app: str, most: int) -> list[RowUse]:
    """As `rows`, but of a large table only about `most`, drawn by chance."""
    if store.hlen(keys.routes(app)) <= most:
        return rows(store, app)
    flat = cast(list[bytes], store.hrandfield(keys.routes(app), most, withvalues=True))
    pairs = replies.text_list(flat)
    return _uses(store, app, dict(zip(pairs[::2], pairs[1::2], strict=True)))


def _uses(store: redis.Redis, app: str, digests: Mapping[str, str]) -> list[RowUse]:
    pipeline = store.pipeline(transaction=False)
    for digest in digests.values():
        pipeline.hmget(keys.total(app, digest, TOTALS_HASH), [REQUESTS.total, LAST_SEEN, PROMOTED])
        pipeline.hgetall(keys.total(app, digest, "::statuses"))
    answers = iter(pipeline.execute())
    found = []
    for route, digest in digests.items():
        requests, last_s, promoted_s = map(replies.number, next(answers))
        statuses = replies.counts(next(answers))
        # Where lines without a status are among them, the sum is less than the requests.
        is_not_found = statuses.keys() <= NOT_FOUND_STATUSES and 0 < requests == sum(statuses.values())
        found.append(RowUse(route, digest, requests, last_s, promoted_s, is_not_found))
    return found


def learned_templates(store: redis.Redis, app: str) -> dict[str, LearnedTemplate]:
    """Template -> what is known of it, the forgotten ones too. Raises redis.RedisError."""
    found = replies.texts(store.hgetall(keys.learned(app)))
    return {name: LearnedTemplate.loads(text) for name, text in found.items()}


def frequent_paths(store: redis.Redis, app: str, digest: str, most: int = PATHS_MAX) -> Counts:
    """The most frequent paths of a row that stands for many, largest first; counts are lower bounds."""
    counts = replies.counts(store.hgetall(keys.total(app, digest, PATHS_HASH)))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most])


def retire(
    store: redis.Redis,
    app: str,
    moves: Sequence[Move],
    templates: Mapping[str, LearnedTemplate] | None = None,
) -> int:
    """Takes rows out of the table and remembers templates; how many rows. `Mover` adds their figures to those
    of the other rows. Raises redis.RedisError; what was retired until then stays so."""
    table = [keys.routes(app), keys.learned(app), keys.ROUTE_VERSIONS, keys.ROUTE_MOVES]
    wanted = [(name, template.dumps()) for name, template in (templates or {}).items()]
    retired = 0
    for at in range(0, max(1, len(moves)), ROWS_AT_ONCE):
        some = [
            (move.route, move.digest, move.into, keys.digest(move.into))
            for move in moves[at : at + ROWS_AT_ONCE]
        ]
        plan = orjson.dumps(
            {
                "templates": wanted if at == 0 else [],
                "moves": some,
                "scope": keys.scope(app),
                "sums": [names.hash for names in TALK_NAMES],
            }
        )
        retired += run_raw(store, _RETIRE, table, [app, plan])
    return retired


def promote(store: redis.Redis, app: str, digest: str, routes: Collection[str], now_s: int) -> None:
    """Gives paths that were counted in the row `digest` rows of their own, from now on. Raises
    redis.RedisError."""
    pipeline = store.pipeline()
    for route in routes:
        own = keys.digest(route)
        pipeline.hsetnx(keys.routes(app), route, own)
        pipeline.hset(keys.total(app, own, TOTALS_HASH), PROMOTED, now_s)
    pipeline.hdel(keys.total(app, digest, PATHS_HASH), *routes)
    pipeline.hincrby(keys.ROUTE_VERSIONS, app, 1)
    pipeline.execute()


def forget(store: redis.Redis, app: str, templates: Iterable[str], now_s: int) -> int:
    """Takes learned templates back; how many there were. Their rows stay. Raises redis.RedisError."""
    known = learned_templates(store, app)
    gone = [name for name in templates if name in known and not known[name].is_forgotten]
    retire(
        store,
        app,
        [],
        {
            name: LearnedTemplate("operator", now_s, known[name].is_pattern, is_forgotten=True)
            for name in gone
        },
    )
    return len(gone)


def unlearn(store: redis.Redis, app: str, templates: Sequence[str]) -> None:
    """Removes templates, which may be learned again. Raises redis.RedisError."""
    if templates:
        pipeline = store.pipeline()
        pipeline.hdel(keys.learned(app), *templates)
        pipeline.hincrby(keys.ROUTE_VERSIONS, app, 1)
        pipeline.execute()


class Mover:
    """Adds the figures of retired rows to those of others, a step at a time."""

    def __init__(self, store: redis.Redis, routes_max: int) -> None:
        self._store = store
        self._limits = orjson.dumps(limits(routes_max))
        self._cost = StepCost()

    def waiting(self) -> int:
        """Rows whose figures are still to be added. Raises redis.RedisError."""
        return self._store.llen(keys.ROUTE_MOVES)

    def step(self, now_s: float) -> int:
        """Takes one step; how many rows are left. Raises redis.RedisError; another call goes on."""
        plan = orjson.dumps(_moved_hashes() | {"chunks": keys.chunks(int(now_s), AHEAD_S)})
        started_s = time.perf_counter()
        answer = run_raw(self._store, _MOVE, [keys.ROUTE_MOVES], [self._limits, self._cost.units_max, plan])
        left, units = cast(tuple[int, int], tuple(answer[:2]))
        self._cost.note(units, time.perf_counter() - started_s)
        return left


def _moved_hashes() -> dict[str, object]:
    bounded = [figure.hash for figure in FIGURES if isinstance(figure, Names) and figure.is_bounded]
    added = hashes_of(figure for figure in FIGURES if isinstance(figure, Count | Names | Sketch))
    return {
        "scope_of_app": keys.scope("*"),
        "times": [figure.sums for figure in FIGURES if isinstance(figure, Sketch) and figure.sums],
        "counts": [name for name in added if name not in bounded],
        "bounded": bounded,
    }
