"""What `python -m app compare` prints: what is worse first, then what it rests on. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from app.cli.compare.verdict import FoundCondition, Judged, name_of
from app.comparison.result import Comparison, FigureComparison, RouteComparison, Side
from app.escaping import for_terminal
from app.formatting import NONE, duration, milliseconds, number, plural, rate, shortened
from app.timespec import iso_seconds
from consumers.replay.reports.numbers import arrow, share, signed, without_unit

ROUTES_SHOWN = 10
WHERE_WIDTH = 60
MARKS = {"worse": "✗", "better": "✓", "no difference shown": "·", "too few": "·"}
STATE_MARKS = {"crossed": "✗", "met": "✓", "inconclusive": "?", "too few": "·"}
MEANINGS = {0: "passed", 1: "failed", 4: "inconclusive"}


def comparison_lines(found: Comparison, judged: Judged, exit_code: int) -> list[str]:
    """All of it, safe for a terminal."""
    lines = [_head(found), *(_sides(found)), *_words(found)]
    lines += _section("conditions", _conditions(judged.findings))
    lines += _section("what else to know", [f"! {text}" for text in found.warnings])
    lines.append(f"verdict: {judged.verdict}")
    lines += [f"  {text}" for text in judged.reasons]
    lines.append(f"exit code {exit_code}: {MEANINGS.get(exit_code, '')}")
    return [for_terminal(line) for line in lines]


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [title, *(f"  {line}" for line in lines)] if lines else []


def _head(found: Comparison) -> str:
    app = found.app or "all apps together"
    if found.release is None:
        return f"{app}: two spans"
    return f"{app}: {found.release.text}, {iso_seconds(found.release.at_ms / 1000)}"


def _sides(found: Comparison) -> list[str]:
    return [
        f"  {name} {_side(side)}"
        for name, side in (("before", found.before), ("after ", found.after))
        if side
    ]


def _side(side: Side) -> str:
    return (
        f"{iso_seconds(side.from_s)} to {iso_seconds(side.to_s)[11:]}, {duration(side.to_s - side.from_s)}: "
        f"{plural(side.requests, 'request')}, {rate(side.rate)} a second"
    )


def _words(found: Comparison) -> list[str]:
    lines: list[str] = []
    for word in ("worse", "better"):
        rows = [row for row in found.routes if row.word == word]
        if found.total is not None and found.total.word == word:
            rows.insert(0, found.total)
        shown = [line for row in rows[:ROUTES_SHOWN] for line in _route(row)]
        more = len(rows) - ROUTES_SHOWN
        lines += _section(
            word, [*shown, *([f"{plural(more, 'more route')}; --json has all"] if more > 0 else [])]
        )
    if found.total is not None and found.total.word not in ("worse", "better"):
        lines += ["all requests", *(f"  {_figure(one)}" for one in found.total.figures)]
    counts: Counter[str] = Counter(row.word for row in found.routes)
    if counts:
        told = ", ".join(
            f"{number(counts[word])} {text}"
            for word, text in (
                ("worse", "worse"),
                ("better", "better"),
                ("no difference shown", "with no difference shown"),
                ("too few", "with too few requests"),
            )
            if counts[word]
        )
        left_out = f", {number(found.routes_left_out)} left out" if found.routes_left_out else ""
        lines.append(f"{plural(len(found.routes), 'route')}: {told}{left_out}")
    return lines


def _route(row: RouteComparison) -> list[str]:
    """Its name, then each figure that says why, and how many requests it rests on."""
    requests = f"{number(row.requests_before)} → {plural(row.requests_after, 'request')}"
    return [
        f"{MARKS[row.word]} {_name(row.route)}  {requests}",
        *(f"    {_figure(one)}" for one in row.figures if one.word in ("worse", "better")),
    ]


def _name(route: str) -> str:
    return shortened(for_terminal(name_of(route)), WHERE_WIDTH)


def _figure(one: FigureComparison) -> str:
    """`p95      334 → 478 ms, +43 % (+17 … +66 %), worse`."""
    word = f", {one.word}" if one.word else ""
    change = "" if one.change is None else f", {_amount(one, one.change)}"
    interval = "" if one.low is None or one.high is None else f" ({_interval(one, one.low, one.high)})"
    return f"{one.figure:<8} {_values(one)}{change}{interval}{word}"


def _values(one: FigureComparison) -> str:
    before, after = (NONE if value is None else _value(one, value) for value in (one.before, one.after))
    return arrow(before, after)


def _value(one: FigureComparison, value: float) -> str:
    if one.figure == "requests":
        return f"{rate(value)} a second"
    return share(value) if one.figure in ("errors", "aborted") else milliseconds(value)


def _amount(one: FigureComparison, value: float) -> str:
    unit = "points" if one.figure in ("errors", "aborted") else "%"
    return f"{signed(100 * value)} {unit}"


def _interval(one: FigureComparison, low: float, high: float) -> str:
    last = _amount(one, high)
    return f"{without_unit(_amount(one, low), last)} … {last}"


def _conditions(findings: Sequence[FoundCondition]) -> list[str]:
    """The gravest one by one, the others counted."""
    shown = [one for one in findings if one.state in ("crossed", "inconclusive") or not one.route]
    lines = [
        f"{STATE_MARKS[one.state]} {one.condition}  {_name(one.route)}: {one.state}"
        for one in shown[:ROUTES_SHOWN]
    ]
    counts = Counter((one.condition, one.state) for one in findings if one not in shown[:ROUTES_SHOWN])
    lines += [
        f"{STATE_MARKS[state]} {condition}  {plural(count, 'more route' if shown else 'route')}: {state}"
        for (condition, state), count in counts.items()
    ]
    return lines
