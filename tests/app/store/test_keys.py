"""The names of keys: where a time window lies."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from app.store.keys import (
    ALL_ROUTES,
    CHUNK_S,
    EVENTS_PATTERN,
    FIGURES_PATTERN,
    SAMPLES,
    SAMPLES_PATTERN,
    WINDOWS,
    chunk,
    digest,
    event_facts,
    events,
    names,
    samples_chunk,
    samples_chunks,
    total,
    window,
    windows,
)

DAY_S = 1_767_312_000  # 2026-01-02T00:00:00Z


@pytest.mark.parametrize(
    ("length_s", "start_s", "place"),
    [
        (10, DAY_S, (f"10:{DAY_S}", 0)),
        (10, DAY_S + 590, (f"10:{DAY_S}", 59)),
        (10, DAY_S + 600, (f"10:{DAY_S + 600}", 0)),
        (60, DAY_S + 3_540, (f"60:{DAY_S}", 59)),
        (3_600, DAY_S + 23 * 3_600, (f"3600:{DAY_S}", 23)),
        (3_600, DAY_S + 24 * 3_600, (f"3600:{DAY_S + 86_400}", 0)),
    ],
)
def test_a_window_lies_in_the_chunk_of_its_time(length_s: int, start_s: int, place: tuple[str, int]) -> None:
    assert chunk(length_s, start_s) == place
    assert window(*place) == (length_s, start_s)


@pytest.mark.parametrize(("length_s", "kept_s"), WINDOWS)
def test_a_chunk_is_a_small_part_of_the_time_that_it_is_kept(length_s: int, kept_s: int) -> None:
    assert CHUNK_S[length_s] % length_s == 0
    assert CHUNK_S[length_s] * 6 <= kept_s
    assert CHUNK_S[length_s] // length_s <= 128  # A hash of more fields is never packed by Redis.


ROOT = Path(__file__).parents[3]
IS_KEY = re.compile(r"""["'](?:tailrace:|app:\{)""")


def test_no_key_is_spelled_outside_of_the_module_of_keys() -> None:
    """In Python and in Lua: scripts are given names, or derive them from those they are given."""
    spelled = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for folder in ("app", "bench", "consumers", "demo", "drain", "servers")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".lua") and path.name != "keys.py"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if IS_KEY.search(line)
    ]
    assert spelled == []


def test_the_chunks_of_samples_that_may_be_there_are_those_that_have_not_expired() -> None:
    now_s, ahead_s = DAY_S + 1_234, 7_200
    names = samples_chunks(now_s, ahead_s)
    for length_s, kept_s in SAMPLES:
        oldest_s, newest_s = now_s - kept_s - length_s + 1, now_s + ahead_s
        for at_s in (oldest_s, now_s, newest_s):
            assert samples_chunk(length_s, at_s // length_s * length_s) in names
    assert len(names) < 60


@pytest.mark.parametrize("app", ["", "shop", "(other)"])
@pytest.mark.parametrize("row", [digest("/"), ALL_ROUTES])
def test_a_key_of_samples_is_told_from_other_figures(app: str, row: str) -> None:
    key = windows(app, row) + samples_chunk(600, DAY_S)
    assert SAMPLES_PATTERN.match(key.encode())
    assert not SAMPLES_PATTERN.match((windows(app, row) + chunk(60, DAY_S)[0]).encode())
    assert not SAMPLES_PATTERN.match(total(app, digest("/"), ":samples").encode())


@pytest.mark.parametrize("app", ["", "shop", "(other)"])
@pytest.mark.parametrize("key", [events, event_facts])
def test_a_key_of_events_is_told_from_other_figures(app: str, key: Callable[[str, str], str]) -> None:
    assert EVENTS_PATTERN.match(key(app, "dynos").encode())
    assert not EVENTS_PATTERN.match((windows(app, ALL_ROUTES) + chunk(60, DAY_S)[0]).encode())
    assert not EVENTS_PATTERN.match(names(app, "dynos").encode())


@pytest.mark.parametrize("app", ["", "shop"])
def test_events_are_figures_of_their_app(app: str) -> None:
    found = FIGURES_PATTERN.match(events(app, "releases").encode())
    assert found is not None
    assert (found["app"] or b"") == app.encode()
