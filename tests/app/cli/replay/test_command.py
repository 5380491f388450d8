"""`python -m app replay`, as a person runs it: a real log, a real target, real exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import cast

import pytest
import redis

from app.cli.replay.plan import mark_key
from app.loop_guard import LoopGuard
from app.settings import Settings
from app.store import keys, replay
from consumers.replay.timespec import iso
from servers.kafka_broker import KafkaBroker
from servers.ports import free_port
from servers.processes import ROOT, wait_until
from servers.redis_server import RedisServer
from tests.consumers.replay.router_2_paths import ALL, REENCODED
from tests.consumers.replay.samples import append, line, router_2_line
from tests.support.target import RecordingTarget, answer, answer_strictly

PATHS = ["/a%2Fb?x=%20&y=", "/caf\u00e9", "//double//", "/users/42", "/users/77?q=a+b;c"]


def command(environ: dict[str, str], *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "app", "replay", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(environ: dict[str, str], *words: str) -> tuple[int, str, str]:
    process = command(environ, *words)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.fixture
def environ(redis_url: str) -> dict[str, str]:
    return {"REDIS_URL": redis_url}


def test_the_windows_safe_requests_arrive_byte_for_byte_and_in_order(environ: dict[str, str]) -> None:
    at_s = time.time() - 60
    lines = [line(path) for path in PATHS] + [
        line("/post", method="POST"),
        line("/again", request_id=LoopGuard(lambda: b"k" * 32).mark("8601b555")),
        line("/again", request_id="replay-" + "x" * 20),
    ]
    append(Settings.load(environ), lines, at_s, gap_s=0.1)
    environ["REPLAY_KEY"] = "k" * 32
    with RecordingTarget() as target:
        code, out, _ = finished(
            environ, "--from", "5m", "--to", target.url, "--speed", "max", "--concurrency", "1"
        )
        assert target.targets() == [path.encode() for path in PATHS]
    assert code == 0
    assert "5 sent, 5 answered, 0 with another status" in out
    assert "not sent (method): 1" in out
    assert "not sent (replayed): 1" in out
    assert "not sent (forged-mark): 1" in out


def test_lines_of_router_2_arrive_as_the_client_sent_them_at_a_strict_target(
    environ: dict[str, str], redis_client: redis.Redis, tmp_path: Path
) -> None:
    append(Settings.load(environ), [router_2_line(logged) for logged, _ in ALL], time.time() - 60, 0.01)
    as_json, as_markdown = tmp_path / "report.json", tmp_path / "report.md"
    words = ["--from", "5m", "--speed", "max", "--concurrency", "1", "--fail-if", "status-changed>50%"]
    with RecordingTarget(answer_strictly()) as target:
        words += ["--to", target.url]
        _, dry, _ = finished(environ, *words, "--dry-run")
        code, out, _ = finished(environ, *words, "--report", str(as_json), "--report", str(as_markdown))
        assert target.targets() == [sent.encode() for _, sent in ALL]
    assert f"would send {len(ALL)} of {len(ALL)} requests" in dry
    assert f"{REENCODED:10}  of them percent-encoded again" in dry
    assert code == 0
    assert f"{len(ALL)} sent, {len(ALL)} answered, 0 with another status" in out
    assert f"percent-encoded again (Router 2.0 logs the path decoded): {REENCODED}" in out
    assert "not sent" not in out
    report = json.loads(as_json.read_text())
    assert report["reencoded"] == REENCODED
    assert f"{REENCODED} of them were percent-encoded again" in as_markdown.read_text()
    kept = replay.run(redis_client, report["run"])
    assert kept is not None
    assert kept.figures.reencoded == REENCODED


def test_a_run_is_signed_with_the_installations_key(
    environ: dict[str, str], redis_client: redis.Redis
) -> None:
    append(Settings.load(environ), [line("/a"), line("/b", request_id="8601b555")])
    words = ["--from", "5m", "--speed", "max", "--dry-run"]
    with RecordingTarget() as target:
        finished(environ, *words, "--to", target.url)
        assert not redis_client.exists(keys.REPLAY_KEY)  # A dry run changes nothing.
        for _ in range(2):
            finished(environ, *words[:-1], "--to", target.url)
        stored = cast(bytes, redis_client.get(keys.REPLAY_KEY))
        finished({**environ, "REPLAY_KEY": "k" * 32}, *words[:-1], "--to", target.url)
        ids = [seen.headers["x-request-id"] for seen in target.seen]
    assert [LoopGuard(lambda: stored).is_replayed(one) for one in ids] == [True] * 4 + [False] * 2
    assert [LoopGuard(lambda: b"k" * 32).is_replayed(one) for one in ids] == [False] * 4 + [True] * 2
    assert set(ids[:2]) == set(ids[2:4])  # The same request has the same id each time.


def test_without_redis_a_run_signs_with_a_key_of_its_own_and_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    nowhere = {"REDIS_URL": f"redis://:hunter2@127.0.0.1:{free_port()}/0"}
    on_kafka = Settings.load({**nowhere, "KAFKA_URL": "kafka://127.0.0.1:9"})
    assert mark_key(on_kafka, creates=True) != mark_key(on_kafka, creates=True)
    told = capsys.readouterr().err
    assert "Set REPLAY_KEY" in told
    assert "hunter2" not in told
    with_key = Settings.load({**nowhere, "REPLAY_KEY": "k" * 32})
    assert mark_key(with_key, creates=True) == b"k" * 32


def test_connections_are_left_out_and_counted(environ: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "tailrace.yml"
    file.write_text("streams: [/events/:id]\n")
    environ["TAILRACE_CONFIG"] = str(file)
    lines = [router_2_line("/a"), router_2_line("/cable", status=101), router_2_line("/events/1")]
    append(Settings.load(environ), [*lines, line("/cable", status=101), "at=info status=200\n"])
    with RecordingTarget() as target:
        words = ["--from", "5m", "--speed", "max", "--to", target.url]
        _, dry, _ = finished(environ, *words, "--dry-run")
        _, out, _ = finished(environ, *words)
        assert target.targets() == [b"/a"]
    assert "would send 1 of 5 requests" in dry
    assert "         2  not sent (connection) /cable" in dry
    assert "         1  not sent (no-path)" in dry
    assert "  not sent (connection): 3" in out
    assert "  not sent (no-path): 1" in out


def test_at_speed_the_spacing_of_the_lines_is_kept(environ: dict[str, str]) -> None:
    append(Settings.load(environ), [line(f"/{number}") for number in range(6)], time.time() - 60, gap_s=0.5)
    with RecordingTarget() as target:
        finished(environ, "--from", "5m", "--to", target.url, "--speed", "5")
        gaps = [after.at_s - before.at_s for before, after in zip(target.seen, target.seen[1:], strict=False)]
    assert target.targets() == [b"/%d" % number for number in range(6)]
    assert sum(gaps) == pytest.approx(0.5, abs=0.15)


def test_a_dry_run_counts_by_route_and_sends_nothing(environ: dict[str, str]) -> None:
    append(Settings.load(environ), [line("/users/1"), line("/users/2"), line("/x", method="PUT")])
    with RecordingTarget() as target:
        code, out, _ = finished(environ, "--from", "5m", "--to", target.url, "--dry-run")
        assert target.seen == []
    assert code == 0
    assert "would send 2 of 3 requests" in out
    assert "/users/:id" in out
    assert "not sent (method) /x" in out


def test_a_crossed_threshold_is_exit_code_1_and_is_in_both_reports(
    environ: dict[str, str], redis_client: redis.Redis, tmp_path: Path
) -> None:
    append(Settings.load(environ), [line("/a") for _ in range(60)])
    as_json, as_markdown = tmp_path / "report.json", tmp_path / "report.md"
    words = ["--from", "5m", "--speed", "max", "--fail-if", "status-changed>10%", "--fail-if", "p50>5000ms"]
    with RecordingTarget(answer(500)) as target:
        code, out, _ = finished(
            environ, *words, "--to", target.url, "--report", str(as_json), "--report", str(as_markdown)
        )
    assert code == 1
    assert "verdict: failed" in out
    report = json.loads(as_json.read_text())
    assert report["verdict"] == "failed"
    assert report["total"]["status_changed"] == 60
    assert {finding["threshold"] for finding in report["findings"]} == {"status-changed>10%"}
    assert "**crossed**: `status-changed>10%" in as_markdown.read_text()
    kept = replay.run(redis_client, report["run"])
    assert kept is not None
    assert kept.figures.routes["/a"].statuses == {(200, 500): 60}
    with RecordingTarget() as target:
        assert finished(environ, *words, "--to", target.url)[0] == 0


def test_a_gate_does_not_open_when_nothing_was_sent(environ: dict[str, str]) -> None:
    append(Settings.load(environ), [line("/a")])
    with RecordingTarget() as target:
        words = ["--from", "5m", "--to", target.url, "--app", "shpo", "--fail-if", "errors>0.1%"]
        assert finished(environ, *words)[0] == 4
        assert finished(environ, *words, "--strict")[0] == 1
        # It is so without a threshold, too.
        assert finished(environ, *words[:-2])[0] == 4


def test_a_route_with_too_few_samples_fails_a_run_with_strict_alone(environ: dict[str, str]) -> None:
    append(Settings.load(environ), [*(line("/often") for _ in range(60)), line("/rare")])
    with RecordingTarget() as target:
        words = ["--from", "5m", "--speed", "max", "--to", target.url, "--fail-if", "status-changed>10%"]
        assert finished(environ, *words)[0] == 0
        assert finished(environ, *words, "--strict")[0] == 1


def test_bodies_are_compared_only_between_two_targets(environ: dict[str, str]) -> None:
    words = ["--from", "5m", "--to", "http://127.0.0.1:1", "--fail-if", "body-changed>1%"]
    code, _, err = finished(environ, *words)
    assert code == 2
    assert "add --baseline URL --compare-bodies" in err


def test_methods_other_than_the_safe_ones_come_with_a_warning(environ: dict[str, str]) -> None:
    append(Settings.load(environ), [line("/a", method="POST")])
    with RecordingTarget() as target:
        words = ["--from", "5m", "--speed", "max", "--to", target.url]
        _, _, err = finished({**environ, "REPLAY_METHODS": "GET,POST"}, *words)
        assert [seen.method for seen in target.seen] == ["POST"]
    assert "POST requests are sent with EMPTY bodies" in err


def test_a_host_that_was_seen_before_is_refused_before_anything_is_sent(
    environ: dict[str, str], redis_client: redis.Redis
) -> None:
    append(Settings.load(environ), [line("/a")])
    redis_client.hset("tailrace:all:hosts", "127.0.0.1", "5")
    with RecordingTarget() as target:
        code, _, err = finished(environ, "--from", "5m", "--speed", "max", "--to", target.url)
        assert target.seen == []
    assert code == 2
    assert "REPLAY_ALLOW_SAME_HOST" in err


@pytest.mark.parametrize(
    ("name", "said"), [("away/r.json", "its folder does not exist"), ("r.html", "must end in .json or .md")]
)
def test_a_report_that_could_not_be_written_is_refused_before_anything_is_sent(
    environ: dict[str, str], tmp_path: Path, name: str, said: str
) -> None:
    append(Settings.load(environ), [line("/a")])
    with RecordingTarget() as target:
        code, _, err = finished(environ, "--from", "5m", "--to", target.url, "--report", str(tmp_path / name))
        assert target.seen == []
    assert code == 2
    assert said in err


def test_one_line_with_a_broken_clock_does_not_hold_the_replay_up(environ: dict[str, str]) -> None:
    settings = Settings.load(environ)
    append(settings, [line("/past")], at_s=86_400.0)
    append(settings, [line(f"/{number}") for number in range(10)])
    append(settings, [line("/future")], at_s=time.time() + 86_400)
    with RecordingTarget() as target:
        code, out, _ = finished(environ, "--from", "5m", "--speed", "1", "--to", target.url)
        assert len(target.seen) == 12
    assert code == 0, out


def test_two_targets_are_compared_with_each_other(environ: dict[str, str], tmp_path: Path) -> None:
    append(Settings.load(environ), [line("/a", status=404) for _ in range(30)])
    path = tmp_path / "report.json"
    with RecordingTarget(answer(200, delay_s=0.05)) as target, RecordingTarget(answer(200)) as baseline:
        code, _, err = finished(
            environ,
            "--from",
            "5m",
            "--speed",
            "max",
            "--to",
            target.url,
            "--baseline",
            baseline.url,
            "--report",
            str(path),
        )
        assert (len(target.seen), len(baseline.seen)) == (30, 30)
    assert code == 0, err
    total = json.loads(path.read_text())["total"]
    assert total["status_changed"] == 0
    assert total["replayed"]["p50"] >= 49 > total["original"]["p50"]  # A percentile is within 1 %.


def test_a_dead_target_stops_the_replay_with_exit_code_3(environ: dict[str, str]) -> None:
    append(Settings.load(environ), [line("/a") for _ in range(200)])
    code, _, err = finished(
        environ, "--from", "5m", "--speed", "max", "--to", f"http://127.0.0.1:{free_port()}"
    )
    assert code == 3
    assert "failed many times in a row" in err


def test_ctrl_c_stops_at_once_keeps_what_was_done_and_prints_how_to_resume(environ: dict[str, str]) -> None:
    append(Settings.load(environ), [line(f"/{number}") for number in range(40)], time.time() - 60, gap_s=0.25)
    with RecordingTarget() as target:
        process = command(environ, "--from", "5m", "--speed", "1", "--to", target.url)
        deadline = time.monotonic() + 20
        while len(target.seen) < 5 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        seen = set(target.targets())
        assert process.returncode == 130
        assert f"{len(seen)} sent" in out
        resume = err.partition("to resume: python -m app replay ")[2].split()
        code, _, _ = finished(environ, *["max" if word == "1" else word for word in resume])
        assert code == 0
        assert {b"/%d" % number for number in range(40)} == set(target.targets())


def test_a_second_ctrl_c_does_not_prevent_the_report(environ: dict[str, str], tmp_path: Path) -> None:
    append(Settings.load(environ), [line(f"/{number}") for number in range(40)])
    report = tmp_path / "report.json"
    words = ["--from", "5m", "--speed", "max", "--concurrency", "2", "--report", str(report)]
    with RecordingTarget(answer(delay_s=2.0)) as target:
        process = command(environ, *words, "--to", target.url)
        wait_until(lambda: len(target.seen) == 2, "two requests that hang")
        for told in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
            process.send_signal(told)
            time.sleep(0.2)
        out, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "not sent (stopped): 40" in out
    assert "to resume: python -m app replay " in err
    assert json.loads(report.read_text())["total"]["sent"] == 0


def test_a_run_is_visible_while_it_is_running_and_sigterm_is_recorded(
    environ: dict[str, str], redis_client: redis.Redis
) -> None:
    append(Settings.load(environ), [line(f"/{number}") for number in range(40)], time.time() - 60, gap_s=0.25)
    with RecordingTarget() as target, RecordingTarget() as baseline:
        words = ["--from", "5m", "--speed", "1", "--to", target.url, "--baseline", baseline.url]
        process = command(environ, *words)
        wait_until(lambda: bool(replay.runs(redis_client)), "the run")
        ((run_id, info),) = replay.runs(redis_client)
        assert (info["state"], info["target"], info["baseline"]) == ("running", target.url, baseline.url)
        assert 0 < float(info["progress"]) < 0.6  # 2 s of 10: what waits for its time is not done.
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "to resume: python -m app replay " in err
    found = replay.run(redis_client, run_id)
    assert found is not None
    assert found.info["state"] == "interrupted"
    assert f"run {run_id}: {found.figures.sent} sent" in out


def test_losing_the_log_on_the_way_stops_the_replay_and_prints_how_to_resume() -> None:
    with RedisServer() as server, RecordingTarget() as target:
        environ = {"REDIS_URL": server.url}
        for part in range(100):
            lines = [line(f"/{part}/{number}") for number in range(100)]
            append(Settings.load(environ), lines, time.time() - 60 + part * 0.1)
        process = command(environ, "--from", "5m", "--speed", "1", "--to", target.url)
        wait_until(lambda: len(target.seen) > 0, "a request")
        server.kill()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert "to resume: python -m app replay " in err
    assert "the page does not show it" in err
    assert " sent, " in out
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "5m"], "--to is missing"),
        (["--from", "yesterday", "--to", "http://a"], "is not a time"),
        (["--from", "5m", "--until", "10m", "--to", "http://a"], "must be after"),
        (["--from", "5m", "--to", "ftp://a", "--speed", "x"], "--speed must be"),
        (["--from", "5m", "--to", "http://a", "--fail-if", "p95"], "--fail-if"),
        (["--from", "5m", "--to", "http://a", "--baseline", ""], "must be a base URL"),
        (["--from", "5m", "--to", "http://shop.example.com"], "REPLAY_ALLOW_SAME_HOST"),
    ],
)
def test_bad_usage_is_exit_code_2_and_one_clear_message(
    environ: dict[str, str], words: list[str], said: str
) -> None:
    append(Settings.load(environ), [line("/a")])
    code, _, err = finished(environ, *words)
    assert code == 2
    assert said in err
    assert "Traceback" not in err


@pytest.mark.kafka
@pytest.mark.parametrize("client", ["kafka-python", "confluent"])
def test_a_window_of_a_kafka_topic_is_replayed_by_time(
    environ: dict[str, str], kafka_broker: KafkaBroker, client: str
) -> None:
    environ |= {"KAFKA_URL": kafka_broker.url, "KAFKA_CLIENT": client, "KAFKA_PREFIX": f"replay-{client}."}
    subprocess.run(
        [sys.executable, "-m", "app", "release"],
        cwd=ROOT,
        env={**os.environ, **environ},
        check=True,
        capture_output=True,
    )
    settings = Settings.load(environ)
    append(settings, [line(f"/before/{number}") for number in range(10)])
    time.sleep(1.1)
    middle_s = time.time()
    time.sleep(0.1)
    for number in range(20):
        append(settings, [line(f"/inside/{number}/{part}") for part in range(3)])
    with RecordingTarget() as target:
        code, out, err = finished(
            environ, "--from", iso(int(middle_s * 1000)), "--speed", "max", "--to", target.url
        )
        assert code == 0, err
        assert sorted(target.targets()) == sorted(
            b"/inside/%d/%d" % (number, part) for number in range(20) for part in range(3)
        )
    assert "60 sent, 60 answered" in out
