"""A release and what explains it are put together, whatever order they come in."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.platform.facts import Event
from app.platform.joined import Identified, joined
from app.platform.release import Release
from tests.app.platform.transcripts import events_of, ms

RELEASE_PHASE = """
23:48:28.253359 app[api]: Deploy 6909d7c6 by user a@example.com
23:48:28.253359 app[api]: Running release v99 commands by user a@example.com
23:48:33.579124 heroku[release.9811]: Starting process with command `bundle exec rake db:migrate`
23:48:34.225131 heroku[release.9811]: State changed from starting to up
23:48:36.000000 app[api]: Build succeeded
23:48:40.410205 heroku[release.9811]: Process exited with status 0
23:48:40.419733 heroku[release.9811]: State changed from up to complete
23:48:41.931703 app[api]: Release v99 created by user a@example.com
23:48:42.257846 heroku[web.1]: Restarting
23:48:42.274533 heroku[web.1]: State changed from up to starting
23:48:43.021851 heroku[web.1]: Stopping all processes with SIGTERM
23:48:43.304215 heroku[web.1]: Process exited with status 143
23:48:46.489798 heroku[web.1]: Starting process with command `bundle exec puma`
23:48:52.360202 heroku[web.1]: State changed from starting to up
"""
"""Seen."""

NEW_APP = """
16:19:43.178076 app[api]: Initial release by user
16:19:43.178076 app[api]: Release v1 created by user
16:19:43.339669 app[api]: Release v2 created by user
16:19:43.339669 app[api]: Enable Logplex by user
16:19:43.632000 app[api]: Release v2 created by user
16:21:24.886083 app[api]: Stack changed from heroku-22 to heroku-20 by user
16:21:24.898163 app[api]: Upgrade stack to heroku-20 by user
16:21:24.898163 app[api]: Release v3 created by user
16:23:40.000000 app[api]: Build started by user
16:23:43.000000 app[api]: Build failed -- check your build output: https://dashboard.heroku.com/apps/x
16:28:49.000000 app[api]: Build started by user
16:29:53.050665 app[api]: Set LANG, RACK_ENV config vars by user
16:29:53.050665 app[api]: Release v4 created by user
16:29:53.767992 app[api]: Attach DATABASE (@ref:postgresql-flat-02648) by user
16:29:53.767992 app[api]: Running release v5 commands by user
16:29:53.779029 app[api]: @ref:postgresql-flat-02648 completed provisioning, setting DATABASE_URL. by user
16:29:53.779029 app[api]: Release v6 created by user
16:29:54.138551 app[api]: Deploy 954ab531 by user
16:29:54.138551 app[api]: Release v7 created by user
16:29:54.154852 app[api]: Scaled to console@0:Basic rake@0:Basic web@1:Basic by user
16:29:57.000000 app[api]: Build succeeded
16:29:58.999562 heroku[web.1]: Starting process with command `bin/rails server`
16:30:03.256970 heroku[web.1]: State changed from starting to up
"""
"""Seen: a new Rails app, four releases within about a second."""

OLD_FORM = """
01:28:49.928883 heroku[api]: Deploy 666aa35 by d@example.com
01:28:49.929661 heroku[api]: Release v23 created by d@example.com
02:15:24.699138 heroku[api]: Set NODE_ENV config vars by d@example.com
02:15:24.699850 heroku[api]: Release v37 created by d@example.com
"""
"""Seen: 2014."""


def releases_of(transcript: str) -> list[Release]:
    return joined(events_of(transcript), "shop").releases


def test_a_release_takes_effect_when_its_commands_have_ended() -> None:
    found = joined(events_of(RELEASE_PHASE), "shop")
    assert found.releases == [
        Release(
            "shop",
            99,
            ms("23:48:41.931703"),
            "deploy",
            "v99: deploy 6909d7c6",
            commit="6909d7c6",
            user="a@example.com",
            up_ms=ms("23:48:52.360202"),
        )
    ]
    assert {event.kind for _, event in found.others} == {"build", "state", "exit", "restart", "other"}


def test_several_releases_within_a_second_keep_their_causes() -> None:
    found = joined(events_of(NEW_APP), "")
    assert [(release.version, release.cause, release.text) for release in found.releases] == [
        (1, "other", "v1: initial release"),
        (2, "other", "v2: enable Logplex"),
        (3, "other", "v3: upgrade stack to heroku-20"),
        (4, "config", "v4: set LANG, RACK_ENV config vars"),
        (5, "add-on", "v5: attach DATABASE (@ref:postgresql-flat-02648)"),
        (6, "add-on", "v6: @ref:postgresql-flat-02648 completed provisioning, setting DATABASE_URL."),
        (7, "deploy", "v7: deploy 954ab531"),
    ]
    assert [release.next_ms for release in found.releases] == [
        release.at_ms for release in found.releases[1:]
    ] + [None]
    assert [release.up_ms for release in found.releases] == [None] * 6 + [ms("16:30:03.256970")]
    assert [event.text for _, event in found.others if not event.dyno] == [
        "Stack changed from heroku-22 to heroku-20",
        "Build started",
        "Build failed -- check your build output: https://dashboard.heroku.com/apps/x",
        "Build started",
        "Scaled to console@0:Basic rake@0:Basic web@1:Basic",
        "Build succeeded",
    ]


def test_the_neighbour_may_be_a_millisecond_away() -> None:
    assert [(one.version, one.cause, one.user) for one in releases_of(OLD_FORM)] == [
        (23, "deploy", "d@example.com"),
        (37, "config", "d@example.com"),
    ]


@pytest.mark.parametrize("apart", ["10:00:00.000", "10:00:00.049", "10:00:01.999", "09:59:58.500"])
def test_a_neighbour_within_two_seconds_explains_a_release(apart: str) -> None:
    (found,) = releases_of(
        f"10:00:00.000 app[api]: Release v9 created by user\n{apart} app[api]: Rollback to v7 by user"
    )
    assert (found.version, found.at_ms, found.cause) == (9, ms("10:00:00.000"), "rollback")
    assert found.text == "v9: rollback to v7"


def test_a_release_alone_has_no_cause_and_a_deploy_alone_has_no_version() -> None:
    found = releases_of(
        """
        10:00:00.000 app[api]: Release v9 created by user
        10:10:00.000 app[api]: Deploy 9154a1d2 by user
        10:20:00.000 app[api]: Set FOO config vars by user
        10:30:00.000 app[api]: Rollback to v7 by user
        """
    )
    assert [(one.version, one.cause, one.text, one.commit, one.names) for one in found] == [
        (9, "", "v9", "", ()),
        (0, "deploy", "deploy 9154a1d2", "9154a1d2", ()),
        (0, "config", "set FOO config vars", "", ("FOO",)),
        (0, "rollback", "rollback to v7", "", ()),
    ]


def test_the_closest_neighbour_is_the_cause() -> None:
    found = releases_of(
        """
        10:00:00.000 app[api]: Set FOO config vars by user
        10:00:00.400 app[api]: Deploy 9154a1d2 by user
        10:00:00.400 app[api]: Release v9 created by user
        10:00:00.900 app[api]: Release v8 created by user
        """
    )
    assert [(one.version, one.cause) for one in found] == [(9, "deploy"), (8, "config")]


def test_any_other_sentence_explains_a_release_only_right_beside_it() -> None:
    found = joined(
        events_of(
            """
            10:00:00.000 app[api]: Release v9 created by user
            10:00:01.000 app[api]: Maintenance mode on by user
            10:00:02.000 heroku[web.1]: Stopping all processes with SIGTERM
            10:10:00.000 heroku[web.1]: Stopping all processes with SIGTERM
            10:10:00.000 app[api]: Release v10 created by user
            """
        ),
        "",
    )
    assert [one.cause for one in found.releases] == ["", ""]
    assert len(found.others) == 3


def test_scaling_and_a_build_make_no_release() -> None:
    found = joined(
        events_of(
            """
            10:00:00.000 app[api]: Scaled to web@3:Performance-L by user
            10:00:00.000 app[api]: Build started by user
            10:01:00.000 app[api]: Detach LOGDNA (@ref:logdna-deep-31633) by user
            """
        ),
        "",
    )
    assert found.releases == []
    assert [event.kind for _, event in found.others] == ["build", "scale", "add-on"]


FAILED = """
10:00:00.000 app[api]: Deploy 9154a1d2 by user
10:00:00.000 app[api]: Running release v3 commands by user
10:00:20.000 app[api]: Release v3 command failed by user
"""


def test_a_release_whose_commands_failed_never_took_effect() -> None:
    found = joined(events_of(FAILED), "")
    assert found.releases == []
    assert [(event.kind, event.version) for _, event in found.others] == [
        ("command", 3),
        ("deploy", 0),
        ("command", 3),
    ]
    later = FAILED + "10:05:00.000 app[api]: Release v4 created by user"
    assert [one.version for one in releases_of(later)] == [4]


def test_a_release_whose_commands_still_run_is_none_yet() -> None:
    running = "\n".join(FAILED.strip().splitlines()[:2])
    assert releases_of(running) == []
    assert [
        (one.version, one.text)
        for one in releases_of(running + "\n10:05:00.000 app[api]: Release v4 created")
    ] == [
        (3, "v3: deploy 9154a1d2"),
        (4, "v4"),
    ]


def test_one_version_of_two_apps_without_a_name_stays_two_releases() -> None:
    found = releases_of(
        """
        10:00:00.000 app[api]: Release v9 created by user
        10:00:00.000 app[api]: Deploy 9154a1d2 by user
        11:00:00.000 app[api]: Release v9 created by user
        11:00:00.000 app[api]: Set FOO config vars by user
        """
    )
    assert [(one.version, one.cause, one.at_ms) for one in found] == [
        (9, "deploy", ms("10:00:00.000")),
        (9, "config", ms("11:00:00.000")),
    ]


@pytest.mark.parametrize("transcript", [RELEASE_PHASE, NEW_APP, OLD_FORM, FAILED])
@given(st.data())
def test_order_and_repetition_change_nothing(transcript: str, data: st.DataObject) -> None:
    events = events_of(transcript)
    some = data.draw(st.lists(st.sampled_from(events), max_size=len(events)))
    twice = [(f"{identity}-again", event) for identity, event in data.draw(st.lists(st.sampled_from(events)))]
    shuffled = data.draw(st.permutations(events + some + twice))
    assert joined(shuffled, "shop") == joined(events, "shop")


texts = st.sampled_from(
    [
        *(f"Release v{version} created" for version in (1, 2, 3)),
        *(f"Running release v{version} commands" for version in (1, 2)),
        "Release v1 command failed",
        *("Deploy 9154a1d2", "Rollback to v1", "Set A config vars", "Attach A (@ref:b)", "Enable Logplex"),
        *("Scaled to web@1", "Build started"),
    ]
)
dyno_texts = st.sampled_from(
    [
        *(f"State changed from {old} to {new}" for old in ("up", "down") for new in ("starting", "crashed")),
        *("State changed from starting to up", "State changed from up to down", "Process exited", "Cycling"),
    ]
)
clocks = st.integers(0, 2 * 3_600_000).map(
    lambda ms: f"{10 + ms // 3_600_000}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"
)
close_clocks = st.integers(0, 3_000).map(lambda ms: f"10:00:{ms // 1000:02}.{ms % 1000:03}")
lines = st.one_of(
    st.builds("{} app[api]: {} by user".format, clocks | close_clocks, texts),
    st.builds(
        "{} heroku[{}]: {}".format,
        clocks | close_clocks,
        st.sampled_from(["web.1", "web.2", "worker.1", "run.1"]),
        dyno_texts,
    ),
)


@given(st.lists(lines, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_whatever_comes_each_event_is_somewhere_and_order_changes_nothing(
    log: list[str], rng: random.Random
) -> None:
    events = events_of("\n".join(log))
    found = joined(events, "")
    shuffled = [*events, *rng.choices(events, k=5)] if events else []
    rng.shuffle(shuffled)
    assert joined(shuffled, "") == found
    unique = {event for _, event in events}
    others = [event for _, event in found.others]
    assert len(set(others)) == len(others)
    for event in unique - set(others):
        assert event.kind in ("release", "command", "deploy", "rollback", "config", "add-on", "other")
        assert any(abs(release.at_ms - event.at_ms) <= 86_402_000 for release in found.releases)
    for release in found.releases:
        assert release.up_ms is None or release.at_ms <= release.up_ms
        assert release.next_ms is None or release.at_ms <= release.next_ms
        assert None in (release.up_ms, release.next_ms) or release.up_ms <= release.next_ms  # type: ignore[operator]


def many(count: int, at_ms: int, step_ms: int) -> list[Identified]:
    events: list[Identified] = []
    for number in range(count):
        moment_ms = at_ms + number * step_ms
        events += [
            (f"r{number}", Event("release", moment_ms, f"Release v{number} created", version=number)),
            (f"d{number}", Event("deploy", moment_ms, f"Deploy {number:08}", commit=f"{number:08}")),
            (
                f"u{number}",
                Event("state", moment_ms, "State changed from starting to up", "web.1", state="up"),
            ),
            (f"w{number}", Event("exit", moment_ms, "Process exited", f"web.{number}")),
        ]
    return events


@pytest.mark.parametrize("step_ms", [0, 1, 700, 60_000])
def test_thousands_of_releases_take_no_square_of_time(step_ms: int) -> None:
    events = many(5_000, ms("10:00:00"), step_ms)
    started_s = time.process_time()
    found = joined(events, "")
    assert len(found.releases) == 5_000
    assert time.process_time() - started_s < 10
