"""Reads two spans of an app block by block, and compares them.

A span is cut into about BLOCKS_MAX blocks: enough to tell how much the traffic varies by itself, and each
long enough that a visit or a slow request hardly reaches into the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import redis

from app.comparison import cautions
from app.comparison.blocks import Block
from app.comparison.compare import Row, compared
from app.comparison.result import Comparison, RouteComparison, Side
from app.formatting import duration
from app.groups import METRICS
from app.store import keys
from app.store.queries.routes import FEWEST_ROUTES, ROUTES_SHOWN, WINDOWS_READ, busiest, known_routes
from app.store.queries.spans import (
    FINE_S,
    HOUR_S,
    MINUTE_S,
    ON_THE_WAY_S,
    STEPS_S,
    Bin,
    cover,
    finer,
    kept_from_s,
    kept_grain_s,
)
from app.store.queries.windows import bin_sums_of_rows, first_request_s, first_window
from app.store.sums import Sums
from app.store.workers import all_workers, groups

BLOCKS_MAX = 16
DAY_S = 86_400
LAG_MAX_S = 10.0
"""Workers that are further behind make figures incomplete."""
SHORT_S = 300
"""A shorter span is called short, where it is not what was asked for."""
_ORDER = {"worse": 0, "better": 1, "no difference shown": 2, "too few": 2}


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `from_s`, before `to_s` (Unix s): whole windows of `grain_s`."""

    from_s: int
    to_s: int
    grain_s: int

    @property
    def seconds(self) -> int:
        return max(0, self.to_s - self.from_s)

    def until(self, to_s: int) -> Stretch:
        """The part of it that ends there at the latest."""
        return replace(self, to_s=max(self.from_s, min(self.to_s, round_down(to_s, FINE_S))))


def compare_stretches(
    store: redis.Redis, app: str, before: Stretch, after: Stretch, now_s: float, warnings: Sequence[str] = ()
) -> Comparison:
    """The comparison, with yesterday's beside it where that may explain something. `warnings`: what is known
    already. Raises redis.RedisError."""
    settled_s = round_down(int(now_s - ON_THE_WAY_S), FINE_S)
    ready_s = max(before.to_s, after.to_s) + ON_THE_WAY_S
    first_s = _first_s(store, app, now_s)
    kept = Stretch(max(before.from_s, round_up(first_s, before.grain_s)), before.to_s, before.grain_s)
    found = _compare(store, app, kept.until(settled_s), after.until(settled_s))
    if found.before is None or found.after is None or found.total is None:
        return replace(
            found, warnings=[*warnings], is_complete=ready_s <= now_s, ready_s=_later(ready_s, now_s)
        )
    late = _incomplete(store, max(before.to_s, after.to_s), now_s)
    traffic = [*cautions.of_rate(found.before, found.after), *cautions.of_mix(found.routes, found.total)]
    said = [*warnings, *_short(before, found.before, "before"), *_short(after, found.after, "after")]
    if ready_s > now_s:
        left = duration(ready_s - now_s)
        said.append(f"the span after is not over for another {left}: this compares what there is so far")
    said += [*late, *traffic]
    yesterday = None
    if traffic or _is_worse(found):
        yesterday = _yesterday(store, app, kept, after, now_s)
        said += _of_yesterday(found, yesterday)
    return replace(
        found,
        warnings=said,
        yesterday=yesterday,
        is_complete=ready_s <= now_s and not late,
        ready_s=_later(ready_s, now_s),
    )


def _later(ready_s: int, now_s: float) -> int | None:
    return ready_s if ready_s > now_s else None


def _is_worse(found: Comparison) -> bool:
    return any(row.word == "worse" for row in (*([found.total] if found.total else []), *found.routes))


def _compare(store: redis.Redis, app: str, before: Stretch, after: Stretch) -> Comparison:
    if not before.seconds or not after.seconds:
        return Comparison(app, _side(before, []), _side(after, []), is_complete=False)
    sides = [_bins(one) for one in (before, after)]
    windows = sum(len(part.windows) for side in sides for part in side)
    most = max(FEWEST_ROUTES, min(ROUTES_SHOWN, WINDOWS_READ // windows))
    digests, _ = known_routes(store, app)
    names, left_out = busiest(store, app, digests, most, before.from_s)
    shown = {(app, keys.ALL_ROUTES): "", **{(app, digests[name]): name for name in names}}
    read = bin_sums_of_rows(store, list(shown), [*sides[0], *sides[1]])
    rows = []
    for row, name in shown.items():
        blocks = [_block(part, sums) for part, sums in zip([*sides[0], *sides[1]], read[row], strict=True)]
        of_before, of_after = blocks[: len(sides[0])], blocks[len(sides[0]) :]
        if not name or any(block.requests for block in blocks):
            rows.append(Row(name, row[1], of_before, of_after))
    total, *routes = compared(rows)
    return Comparison(
        app=app,
        before=_side(before, rows[0].before),
        after=_side(after, rows[0].after),
        total=total,
        routes=sorted(routes, key=_gravity),
        routes_left_out=left_out,
    )


def _gravity(row: RouteComparison) -> tuple[int, int, str]:
    return _ORDER[row.word], -(row.requests_before + row.requests_after), row.route


def _side(stretch: Stretch, blocks: Sequence[Block]) -> Side:
    requests = sum(block.requests for block in blocks)
    rate = float(f"{requests / stretch.seconds:.4g}") if stretch.seconds else 0.0
    return Side(stretch.from_s, stretch.to_s, requests, rate)


def _block(part: Bin, sums: Sums) -> Block:
    return Block(part.seconds, sums.requests, sums.errors, sums.aborted, sums.service)


def _bins(stretch: Stretch) -> list[Bin]:
    block_s = next((step for step in STEPS_S if stretch.seconds <= step * BLOCKS_MAX), STEPS_S[-1])
    block_s = max(block_s, stretch.grain_s)
    found, start_s = [], stretch.from_s
    while start_s < stretch.to_s:
        end_s = min(round_down(start_s, block_s) + block_s, stretch.to_s)
        found.append(Bin(start_s, end_s, cover(start_s, end_s)))
        start_s = end_s
    return found


# --- yesterday -------------------------------------------------------------------------------


def _yesterday(
    store: redis.Redis, app: str, before: Stretch, after: Stretch, now_s: float
) -> Comparison | None:
    """The same two times of day, a day before; None where that is not kept."""
    oldest_s = min(before.from_s, after.from_s) - DAY_S
    grain_s = max(before.grain_s, after.grain_s)
    if grain_s < HOUR_S:
        if not _has_minutes(store, app, oldest_s, now_s):
            return None
        grain_s = MINUTE_S
    elif oldest_s < kept_from_s(HOUR_S, now_s):
        return None
    earlier_before, earlier_after = (
        Stretch(round_down(one.from_s - DAY_S, grain_s), round_up(one.to_s - DAY_S, grain_s), grain_s)
        for one in (before, after)
    )
    found = _compare(store, app, earlier_before, earlier_after)
    return found if found.total and found.total.requests_before and found.total.requests_after else None


def _has_minutes(store: redis.Redis, app: str, at_s: int, now_s: float) -> bool:
    """Whether the minutes of that time are kept. They are for a while longer than WINDOWS says."""
    if kept_grain_s(at_s, now_s) < HOUR_S:
        return True
    chunk, _ = keys.chunk(MINUTE_S, round_down(at_s, MINUTE_S))
    return bool(store.exists(keys.windows(app, keys.ALL_ROUTES) + chunk))


def _of_yesterday(today: Comparison, yesterday: Comparison | None) -> list[str]:
    if yesterday is None:
        return ["of the same times yesterday nothing is kept that they could be compared with"]
    return cautions.of_yesterday(today, yesterday)


# --- what is there ---------------------------------------------------------------------------


def _first_s(store: redis.Redis, app: str, now_s: float) -> int:
    """When the first request of the app came that is kept (Unix s), as far as short windows are."""
    first = first_window(store, app, now_s)
    if first is None:
        return int(now_s)
    return first_request_s(store, app, first) if finer(first) else first[1]


def _short(asked: Stretch, found: Side, which: str) -> list[str]:
    seconds = found.to_s - found.from_s
    if seconds >= min(SHORT_S, asked.seconds):
        return []
    return [f"the span {which} is short, {duration(seconds)}: differences have to be large to show"]


def _incomplete(store: redis.Redis, to_s: int, now_s: float) -> list[str]:
    """That lines up to then are not counted yet, because the workers of `metrics` are behind or down."""
    now_ms = int(now_s * 1000)
    known = groups(all_workers(store, now_ms), now_ms)
    found = next((one for one in known if one.group == METRICS.name), None)
    if found is None:
        if to_s < now_s - HOUR_S:
            return []
        return ["no worker of `metrics` has reported for an hour, so lines may not be counted yet"]
    counted_s = found.last_seen_ms / 1000 - found.lag_seconds
    if counted_s >= to_s or (found.workers and found.lag_seconds <= LAG_MAX_S):
        return []
    behind = duration(now_s - counted_s)
    what = f"{behind} behind" if found.workers else f"down: what came in the last {behind} is not counted"
    return [f"the workers of `metrics` are {what}, so the figures are not complete yet"]


def round_down(at_s: int, length_s: int) -> int:
    """To a multiple of `length_s`."""
    return at_s // length_s * length_s


def round_up(at_s: int, length_s: int) -> int:
    """To a multiple of `length_s`."""
    return -(-at_s // length_s) * length_s
