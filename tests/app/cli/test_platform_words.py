"""Releases and what else the platform says, in a few words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.cli.dyno_columns import runtime_facts
from app.cli.platform_tables import measured
from app.cli.platform_words import how_to_send_metrics, is_notable, last_release, release_name
from app.platform.release import Release
from app.store.queries import DynoRuntime
from tests.app.cli.top.samples import RELEASES, event, runtime

NOW_S = RELEASES[0].at_ms / 1000 + 7 * 60
DEPLOY = RELEASES[1]


@pytest.mark.parametrize(
    ("release", "name"),
    [
        (DEPLOY, "v42 9154a1d2"),
        (replace(DEPLOY, commit="9154a1d2" * 5), "v42 9154a1d2"),
        (RELEASES[0], "v43 config"),
        (Release("shop", 44, 0, "rollback", "v44: rollback to v42"), "v44 rollback"),
        (Release("shop", 44, 0, "", "v44"), "v44"),
        (Release("shop", 0, 0, "deploy", "deploy 9154a1d2", commit="9154a1d2"), "9154a1d2"),
        (Release("shop", 0, 0, "", ""), "release"),
    ],
)
def test_a_release_is_named_by_its_version_and_its_commit_or_cause(release: Release, name: str) -> None:
    assert release_name(release) == name


def test_the_last_release_says_how_long_ago_it_was_and_of_all_apps_whose() -> None:
    assert last_release(RELEASES[0], NOW_S) == "v43 config 7 min ago"
    assert last_release(RELEASES[0], NOW_S, of_app=True) == "shop v43 config 7 min ago"
    assert last_release(replace(RELEASES[0], app=""), NOW_S, of_app=True) == "v43 config 7 min ago"
    assert last_release(RELEASES[0], 0) == "v43 config 0 s ago", "a clock may be ahead"
    assert last_release(None, NOW_S) == ""


def test_what_every_release_brings_is_not_notable() -> None:
    usual = [
        event("state", "State changed from up to down", state="down"),
        event("state", "State changed from starting to up", state="up"),
        event("exit", "Process exited with status 143", status=143),
        event("exit", "Process exited with status 0", status=0),
        event("idle", "Unidling"),
    ]
    notable = [
        event("state", "State changed from starting to crashed", state="crashed"),
        event("exit", "Process exited with status 137", status=137),
        event("error", "Error R14 (Memory quota exceeded)", code="R14"),
        event("restart", "Cycling"),
        event("build", "Build failed", state="failed"),
        event("scale", "Scaled to web@4"),
        event("other", "A sentence that Heroku may write one day"),
    ]
    assert [found.text for found in [*usual, *notable] if is_notable(found)] == [one.text for one in notable]


def test_how_to_switch_metrics_on_names_the_app_and_the_commands() -> None:
    assert how_to_send_metrics(["shop"]) == (
        "shop sends no memory and load of dynos; `heroku labs:enable log-runtime-metrics -a shop && "
        "heroku restart -a shop` switches them on"
    )
    assert how_to_send_metrics(["shop", "api"]).startswith("shop, api send no memory")
    assert "-a APP" in how_to_send_metrics(["shop", "api"])
    assert how_to_send_metrics([""]).startswith("The app sends no memory")
    assert how_to_send_metrics(["", "(other)", "shop"]).startswith("shop and 2 more send no memory")
    assert "and 3 more send" in how_to_send_metrics([f"app{at}" for at in range(8)])
    assert how_to_send_metrics([]) == ""


def test_a_dyno_by_itself_tells_what_the_platform_says_and_nothing_else() -> None:
    assert dict(runtime_facts(runtime(1.8, restarts=4, r14=57))) == {
        "state": "up",
        "memory": "922 MB of 512 MB, 180 %; rss 500 MB, swap 422 MB; "
        "in the window 912 MB on average, 932 MB at most",
        "load": "1m 2.46  5m 1.06  15m 0.99",
        "restarts": "4",
        "R14": "57",
    }
    assert runtime_facts(DynoRuntime(memory_mb=221.47)) == [("memory", "221 MB")]
    assert runtime_facts(DynoRuntime()) == runtime_facts(None) == []


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (3_944_484.0, "kB", "3,944,484 kB"),
        (0.99997, "", "0.99997"),
        (15.0, "", "15"),
        (None, "kB", "-"),
        (0.285, "", "0.285"),
        (-1_500.0, "bytes", "-1,500 bytes"),
    ],
)
def test_a_measure_of_an_add_on_has_its_own_unit(value: float | None, unit: str, text: str) -> None:
    assert measured(value, unit) == text
