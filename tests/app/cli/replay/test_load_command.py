"""The load's flags, as a person gives them: what they refuse, and real runs with each."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest
import redis

from app.settings import Settings
from app.store import replay
from servers.processes import wait_until
from tests.app.cli.replay.test_command import command, finished
from tests.consumers.replay.samples import append, line
from tests.support.target import RecordingTarget, answer

AN_HOUR = ["--from", "2026-11-23T10:00Z", "--until", "11:00Z", "--to", "http://127.0.0.1:1"]


@pytest.fixture
def environ(redis_url: str) -> dict[str, str]:
    return {"REDIS_URL": redis_url}


def append_minute(environ: dict[str, str], count: int = 100, gap_s: float = 0.02) -> None:
    """So many requests, received now."""
    append(Settings.load(environ), [line(f"/{number}") for number in range(count)], time.time() - 60, gap_s)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--loop"], "--loop repeats the window without an end: add --for 1h, or --stages"),
        (["--speed", "10", "--rate", "200"], "--speed and --rate both say how fast to go"),
        (["--stages", "5m:1x", "--speed", "2"], "leave out --speed"),
        (["--stages", "5m:1x", "--rate", "2"], "leave out --rate"),
        (["--stages", "5m:1x", "--for", "5m"], "leave out --for"),
        (["--stages", "5m"], "--stages: '5m' is not a stage"),
        (["--stages", "30m:1x,60m:1x"], "the window has 60 minutes, the stages need 90 minutes of the log"),
        (["--for", "soon"], "--for must be a number with s, m, h, d or w"),
        (["--for", "0s"], "--for must be at least 1s"),
        (["--rate", "0"], "--rate must be a number above 0"),
        (["--rate", "max"], "--rate must be a number above 0"),
        (["--find-limit", "--rate", "5"], "--find-limit raises the speed by itself"),
        (["--find-limit", "--speed", "max"], "--find-limit raises the speed by itself"),
        (["--find-limit", "--stages", "5m:1x"], "--find-limit raises the speed by itself"),
    ],
)
def test_flags_that_describe_no_load_are_refused_with_the_fix(
    environ: dict[str, str], words: list[str], said: str
) -> None:
    code, _, err = finished(environ, *AN_HOUR, *words)
    assert code == 2
    assert said in err
    assert "Traceback" not in err


def test_what_is_to_come_is_said_before_it_begins(environ: dict[str, str]) -> None:
    """Requests that are not sent do not count."""
    append_minute(environ)
    append(Settings.load(environ), [line("/p", method="POST") for _ in range(50)], time.time() - 60, 0.02)
    with RecordingTarget() as target:
        code, _, err = finished(environ, "--from", "5m", "--to", target.url, "--speed", "4")
        assert len(target.seen) == 100
    assert code in (0, 4), err  # A busy machine may be too slow for a verdict.
    assert "100 requests, about 1 s" in err.splitlines()


def test_a_rate_is_the_average_of_what_is_sent_and_wins_over_the_setting(environ: dict[str, str]) -> None:
    append_minute(environ, 200, 0.05)
    with RecordingTarget() as target:
        words = ["--from", "5m", "--to", target.url, "--rate", "100"]
        code, _, err = finished({**environ, "REPLAY_SPEED": "5", "REPLAY_RATE": "1"}, *words)
        took_s = target.seen[-1].at_s - target.seen[0].at_s
    assert code == 0, err
    assert len(target.seen) == 200
    assert took_s == pytest.approx(2.0, abs=0.6)
    assert "200 requests, about 2 s" in err


def test_with_max_speed_a_rate_is_a_limit_and_so_is_the_setting(environ: dict[str, str]) -> None:
    append_minute(environ, 100, 0.2)
    for more, limit in ((["--rate", "100"], {}), ([], {"REPLAY_RATE": "100"})):
        with RecordingTarget() as target:
            words = ["--from", "5m", "--to", target.url, "--speed", "max", *more]
            code, _, err = finished({**environ, **limit}, *words)
            took_s = target.seen[-1].at_s - target.seen[0].at_s
        assert code == 0, err
        assert took_s == pytest.approx(1.0, abs=0.5)


def test_a_setting_that_makes_a_run_slower_than_asked_is_named(environ: dict[str, str]) -> None:
    append_minute(environ, 60)
    with RecordingTarget() as target:
        words = ["--from", "5m", "--to", target.url, "--speed", "10"]
        _, _, err = finished({**environ, "REPLAY_RATE": "50"}, *words)
    assert "REPLAY_RATE=50 limits this run" in err


def test_stages_and_a_loop_end_when_their_time_is_up(
    environ: dict[str, str], redis_client: redis.Redis
) -> None:
    append_minute(environ, 50, 0.02)  # 1 s.
    with RecordingTarget() as target:
        words = ["--from", "5m", "--to", target.url, "--stages", "1s:1x,1s:0x,1s:2x", "--loop"]
        code, out, err = finished(environ, *words)
        at_s = [seen.at_s - target.seen[0].at_s for seen in target.seen]
    assert code == 0, err
    assert "about 150 requests, about 3 s" in err
    assert len(at_s) == pytest.approx(150, abs=2)
    assert sum(each < 1.0 for each in at_s) == pytest.approx(50, abs=20)
    assert max(at_s) == pytest.approx(3.0, abs=0.5)
    assert "not sent" not in out
    ((_, info),) = replay.runs(redis_client)
    assert (info["state"], info["speed"], info["progress"]) == ("finished", "1s:1x,1s:0x,1s:2x", "1.00")


def test_stages_that_outlast_what_the_log_has_are_told_and_end_with_it(environ: dict[str, str]) -> None:
    append_minute(environ, 50, 0.02)
    with RecordingTarget() as target:
        words = ["--from", "5m", "--to", target.url, "--stages", "30s:1x"]
        code, _, err = finished(environ, *words)
        assert len(target.seen) == 50
    assert code == 0
    assert "the log's window ends before the stages do: --loop begins it again" in err


def test_ctrl_c_in_a_load_of_stages_says_why_it_cannot_be_resumed(environ: dict[str, str]) -> None:
    append_minute(environ, 50, 0.02)
    with RecordingTarget() as target:
        process = command(environ, "--from", "5m", "--to", target.url, "--for", "1m", "--loop")
        wait_until(lambda: len(target.seen) > 60, "a second pass")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "cannot be resumed" in err
    assert "to resume:" not in err


def test_the_limit_of_a_target_is_found_and_reported(
    environ: dict[str, str], redis_client: redis.Redis, tmp_path: Path
) -> None:
    append_minute(environ, 50, 0.02)
    path = tmp_path / "report.json"
    words = ["--from", "5m", "--find-limit", "--for", "1s", "--report", str(path)]
    with RecordingTarget() as target:
        code, out, err = finished({**environ, "REPLAY_RATE": "100"}, *words, "--to", target.url)
        sent = len(target.seen)
    assert code == 0, err
    assert "steps of 1 s, from 1x on: at most about 3 min, usually less" in err
    assert "    1x  " in err
    assert "no limit found: 2x held (" in out
    assert json.loads(path.read_text())["total"]["sent"] == sent
    ((_, info),) = replay.runs(redis_client)
    assert info["state"] == "finished"


def test_a_first_speed_that_breaks_is_exit_code_1(environ: dict[str, str]) -> None:
    append_minute(environ, 50, 0.02)
    with RecordingTarget(answer(500)) as target:
        words = ["--from", "5m", "--find-limit", "--for", "1s", "--speed", "2", "--to", target.url]
        code, out, _ = finished(environ, *words)
    assert code == 1
    assert "no speed held: already 2x did not: errors>1%" in out


def test_a_search_without_anything_to_send_is_exit_code_4(environ: dict[str, str]) -> None:
    append(Settings.load(environ), [line("/a", method="POST")])
    with RecordingTarget() as target:
        code, _, err = finished(environ, "--from", "5m", "--find-limit", "--to", target.url)
        assert target.seen == []
    assert code == 4
    assert "inconclusive: " in err


def test_ctrl_c_in_a_search_says_what_was_found(environ: dict[str, str]) -> None:
    append_minute(environ, 50, 0.02)
    with RecordingTarget() as target:
        process = command(environ, "--from", "5m", "--find-limit", "--for", "1s", "--to", target.url)
        wait_until(lambda: len(target.seen) > 100, "a second step")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "the highest speed that held: 1x held (" in out
    assert "cannot be resumed" in err
