"""When a release has replaced all dynos of an app."""

from __future__ import annotations

import pytest

from app.platform.joined import joined
from tests.app.platform.transcripts import events_of, ms

RELEASE = "10:00:00.000 app[api]: Release v9 created by user\n"


def up_ms(log: str, version: int = 9) -> int | None:
    found = joined(events_of(RELEASE + log), "").releases
    return next(release.up_ms for release in found if release.version == version)


def restart(dyno: str, stopped: str, up: str) -> str:
    return (
        f"""
        {stopped}.000 heroku[{dyno}]: Restarting
        {stopped}.010 heroku[{dyno}]: State changed from up to starting
        {stopped}.500 heroku[{dyno}]: Stopping all processes with SIGTERM
        {stopped}.900 heroku[{dyno}]: Process exited with status 143
        {up}.000 heroku[{dyno}]: Starting process with command `x`
        {up}.400 heroku[{dyno}]: State changed from starting to up
    """.strip()
        + "\n"
    )


def test_it_is_over_when_the_last_web_dyno_is_up() -> None:
    log = restart("web.1", "10:00:01", "10:00:09") + restart("web.2", "10:00:02", "10:00:31")
    assert up_ms(log) == ms("10:00:31.400")
    assert up_ms(log + restart("worker.1", "10:00:02", "10:01:30")) == ms("10:00:31.400")


def test_without_web_dynos_the_others_count() -> None:
    assert up_ms(restart("worker.1", "10:00:02", "10:01:30")) == ms("10:01:30.400")


def test_one_off_dynos_do_not_count() -> None:
    run = """10:00:01.000 heroku[run.1234]: State changed from starting to up
    10:00:05.000 heroku[run.1234]: Process exited with status 0
    10:00:05.000 heroku[run.1234]: State changed from up to complete
    """
    assert up_ms(run) is None
    assert up_ms(run + restart("worker.1", "10:00:02", "10:01:30")) == ms("10:01:30.400")


def test_without_events_of_dynos_nothing_is_known() -> None:
    assert up_ms("") is None
    assert up_ms("11:00:00.000 heroku[web.1]: Cycling") is None
    assert up_ms(restart("web.1", "10:06:00", "10:06:09")) is None


PREBOOT = """
10:00:01.000 heroku[web.1]: State changed from up to starting
10:00:01.100 heroku[web.2]: State changed from up to starting
10:00:09.000 heroku[web.1]: State changed from starting to up
10:00:12.000 heroku[web.2]: State changed from starting to up
"""


def test_with_preboot_it_is_over_when_the_old_processes_have_exited() -> None:
    first = "10:03:12.000 heroku[web.1]: Process exited with status 143\n"
    second = "10:03:14.000 heroku[web.2]: Process exited with status 143\n"
    assert up_ms(PREBOOT) is None
    assert up_ms(PREBOOT + first) is None
    assert up_ms(PREBOOT + first + second) == ms("10:03:14.000")


def test_an_exit_that_was_lost_is_waited_for_no_longer_than_ten_minutes() -> None:
    first = "10:03:12.000 heroku[web.1]: Process exited with status 143\n"
    assert up_ms(PREBOOT + first + "10:09:00.000 heroku[web.1]: Cycling") is None
    assert up_ms(PREBOOT + first + "10:20:00.000 heroku[web.1]: Cycling") == ms("10:03:12.000")


def test_a_state_that_was_lost_is_waited_for_no_longer_than_ten_minutes() -> None:
    lost = "10:00:01.000 heroku[web.2]: State changed from up to starting\n"
    log = restart("web.1", "10:00:01", "10:00:09") + lost
    assert up_ms(log) is None
    assert up_ms(log + "10:20:00.000 app[api]: Build started") == ms("10:00:09.400")


def test_a_dyno_that_crashes_at_first_is_up_when_it_is() -> None:
    crash = """
    10:00:01.000 heroku[web.1]: State changed from up to starting
    10:00:02.000 heroku[web.1]: Process exited with status 143
    10:01:01.000 heroku[web.1]: Process exited with status 1
    10:01:02.000 heroku[web.1]: State changed from starting to crashed
    10:01:02.100 heroku[web.1]: State changed from crashed to starting
    """
    assert up_ms(crash) is None
    assert up_ms(crash + "10:01:30.000 heroku[web.1]: State changed from starting to up") == ms("10:01:30")


def test_a_dyno_that_stays_crashed_is_not_waited_for_if_another_is_up() -> None:
    crash = """
    10:00:01.000 heroku[web.2]: State changed from up to starting
    10:00:02.000 heroku[web.2]: Process exited with status 143
    10:01:02.000 heroku[web.2]: State changed from starting to crashed
    """
    assert up_ms(crash) is None
    assert up_ms(restart("web.1", "10:00:01", "10:00:09") + crash) == ms("10:01:02")


def test_what_a_dyno_does_once_it_is_up_is_another_story() -> None:
    log = restart("web.1", "10:00:01", "10:00:09") + restart("web.1", "10:01:00", "10:01:20")
    assert up_ms(log) == ms("10:00:09.400")


def test_a_pause_ends_it_but_dynos_that_follow_soon_belong_to_it() -> None:
    log = restart("web.1", "10:00:01", "10:00:09")
    assert up_ms(log + restart("web.2", "10:01:05", "10:01:40")) == ms("10:01:40.400")
    assert up_ms(log + restart("web.2", "10:01:20", "10:01:40")) == ms("10:00:09.400")


def test_dynos_with_new_names_replace_those_with_the_old() -> None:
    log = """
    10:00:01.000 heroku[web-7d9c5b8f6-aaaaa]: State changed from created to starting
    10:00:09.000 heroku[web-7d9c5b8f6-aaaaa]: State changed from starting to up
    10:00:10.000 heroku[web-5f6c7d8e9-zzzzz]: State changed from up to down
    """
    assert up_ms(log) is None
    exit_line = "10:00:40.000 heroku[web-5f6c7d8e9-zzzzz]: Process exited with status 143"
    assert up_ms(log + exit_line) == ms("10:00:40.000")


@pytest.mark.parametrize("clock", ["10:00:05.000", "10:00:09.100"])
def test_a_release_that_is_replaced_before_its_dynos_are_up_never_was(clock: str) -> None:
    log = restart("web.1", "10:00:01", "10:00:09") + f"{clock} app[api]: Release v10 created by user\n"
    assert up_ms(log) is None
    assert up_ms(log, version=10) == ms("10:00:09.400")


def test_a_dyno_that_slept_counts_once_it_is_up() -> None:
    log = """
    10:00:30.000 heroku[web.1]: Unidling
    10:00:30.100 heroku[web.1]: State changed from down to starting
    10:00:39.000 heroku[web.1]: State changed from starting to up
    """
    assert up_ms(log) == ms("10:00:39.000")
