"""`python -m app replay`, as a person runs it: a real log, a real target, real exit codes."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import cast

import pytest
import redis

from app.cli.replay.plan import mark_key
from app.log import open_log
from app.loop_guard import LoopGuard
from app.message import encode
from app.settings import Settings
from app.store import keys, replay
from app.timespec import iso
from servers.kafka_broker import KafkaBroker
from servers.messages import router_message
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
    assert f"percent-encoded again (Router 2.0 logs the path decoded): {REENCODED}" in as_markdown.read_text()
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
    states = {(finding["threshold"], finding["route"]): finding["state"] for finding in report["findings"]}
    assert states == {
        ("status-changed>10%", ""): "crossed",
        ("status-changed>10%", "/a"): "crossed",
        ("p50>5000ms", ""): "met",
        ("p50>5000ms", "/a"): "met",
        ("sent<95%", ""): "met",
    }
    assert "| ❌ | `status-changed>10%` | `/a` | 100 % |" in as_markdown.read_text()
    assert "- 200 → 500: 60" in as_markdown.read_text()
    kept = replay.run(redis_client, report["run"])
    assert kept is not None
    assert kept.figures.routes["/a"].statuses == {(200, 500): 60}
    with RecordingTarget() as target:
        assert finished(environ, *words, "--to", target.url)[0] == 0


def test_a_terminal_that_shows_ascii_alone_gets_ascii(environ: dict[str, str]) -> None:
    append(Settings.load(environ), [line("/caf\u00e9") for _ in range(60)])
    words = ["--from", "5m", "--speed", "max", "--fail-if", "status-changed>1%"]
    with RecordingTarget(answer(500)) as target:
        code, out, _ = finished({**environ, "PYTHONIOENCODING": "ascii"}, *words, "--to", target.url)
    assert code == 1
    assert out.isascii()
    assert "FAIL status-changed>1%  all requests" in out
    assert "200 -> 500: 60" in out


def test_the_result_is_kept_beside_the_figures(environ: dict[str, str], redis_client: redis.Redis) -> None:
    append(Settings.load(environ), [line("/a") for _ in range(60)])
    words = ["--from", "5m", "--speed", "max", "--fail-if", "status-changed>1%"]
    with RecordingTarget(answer(500)) as target:
        _, out, _ = finished(environ, *words, "--to", target.url)
    ((run_id, info),) = replay.runs(redis_client)
    assert info["verdict"] == "failed"
    assert f"on the page: Replay view, run {run_id} (#/replay/{run_id})" in out
    kept = replay.run(redis_client, run_id)
    assert kept is not None
    assert kept.result is not None
    assert (kept.result.verdict, kept.result.thresholds) == ("failed", ["status-changed>1%"])
    assert kept.result.coverage.sent == 60


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
    ("name", "said"),
    [("away/r.json", "its folder does not exist"), ("r.txt", "must end in .json, .md, .html or .junit.xml")],
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


def interrupted(environ: dict[str, str], target: RecordingTarget, *words: str) -> tuple[str, list[str]]:
    """What a run prints that gets Ctrl-C after five requests, and the words of the command to resume it."""
    process = command(environ, "--from", "5m", "--speed", "4", "--to", target.url, *words)
    wait_until(lambda: len(target.seen) >= 5, "five requests")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 130, err
    return out + err, shlex.split(err.partition("to resume: python -m app replay ")[2])


def test_an_interrupted_run_goes_on_as_the_same_run_and_sends_each_request_once(
    environ: dict[str, str], redis_client: redis.Redis, tmp_path: Path
) -> None:
    lines = [line(f"/{number}") for number in range(40)] + [line("/post", method="POST")]
    append(Settings.load(environ), lines, time.time() - 60, gap_s=0.25)
    reports = [tmp_path / f"report{ending}" for ending in (".json", ".md", ".html", ".junit.xml")]
    words = [word for path in reports for word in ("--report", str(path))]
    with RecordingTarget() as target:
        said, resume = interrupted(environ, target, "--fail-if", "errors>50%", *words)
        sent = len(target.seen)
        first = json.loads(reports[0].read_text())
        assert f"{sent} sent" in said
        assert "verdict: inconclusive" in said
        assert (first["state"], first["is_interrupted"], first["verdict"]) == (
            "interrupted",
            True,
            "inconclusive",
        )
        assert first["progress"] < 1
        assert all("interrupted" in path.read_text() for path in reports)
        ((run_id, info),) = replay.runs(redis_client)
        assert resume[:2] != ["--resume", run_id]
        assert resume[resume.index("--resume") + 1] == run_id == first["run"]
        assert redis_client.ttl(keys.replay_run(run_id, "pairs")) > 6 * 86_400
        code, out, err = finished(environ, *resume)
        assert code == 0, err
        # Not one of them twice.
        assert sorted(target.targets()) == sorted(b"/%d" % number for number in range(40))
    assert "40 sent, 40 answered" in out
    assert "resumed: 2 parts of one run" in out
    assert "stopped" not in out  # What the first part left is sent.
    ((same, whole),) = replay.runs(redis_client)
    assert (same, whole["state"], whole["verdict"], whole["parts"]) == (run_id, "finished", "passed", "2")
    assert [whole[name] for name in ("from", "until", "started_at")] == [
        info[name] for name in ("from", "until", "started_at")
    ]
    kept = replay.run(redis_client, run_id)
    assert kept is not None
    assert (kept.figures.sent, kept.figures.skipped) == (40, {"method": 1})
    assert kept.result is not None
    assert not kept.result.is_interrupted
    assert not redis_client.exists(keys.replay_run(run_id, "pairs"))
    last = json.loads(reports[0].read_text())
    assert (last["run"], last["parts"], last["total"]["sent"], last["coverage"]["asked"]) == (
        run_id,
        2,
        40,
        40,
    )
    code, _, err = finished(environ, *resume)
    assert code == 2
    assert "it is finished" in err


def test_a_run_may_be_interrupted_more_than_once(environ: dict[str, str], redis_client: redis.Redis) -> None:
    append(Settings.load(environ), [line(f"/{number}") for number in range(40)], time.time() - 60, gap_s=0.25)
    with RecordingTarget() as target:
        _, resume = interrupted(environ, target)
        before = len(target.seen)
        process = command(environ, *resume)
        wait_until(lambda: len(target.seen) >= before + 3, "three more")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=10)
        assert process.returncode == 130
        _, out, _ = finished(environ, *shlex.split(err.partition("to resume: python -m app replay ")[2]))
        assert sorted(target.targets()) == sorted(b"/%d" % number for number in range(40))
    assert "resumed: 3 parts of one run" in out
    assert "40 sent, 40 answered" in out
    assert len(replay.runs(redis_client)) == 1


def test_a_run_that_a_dead_target_ended_goes_on_once_it_is_back(
    environ: dict[str, str], redis_client: redis.Redis
) -> None:
    append(Settings.load(environ), [line(f"/{number}") for number in range(100)])
    port = free_port()
    words = ["--from", "5m", "--speed", "max", "--concurrency", "2", "--to", f"http://127.0.0.1:{port}"]
    code, out, err = finished(environ, *words)
    assert code == 3
    assert "stopped early (target down)" in out
    failed = int(re.findall(r"(\d+) sent", out)[0])
    with RecordingTarget(port=port) as target:
        _, out, err = finished(environ, *shlex.split(err.partition("to resume: python -m app replay ")[2]))
        assert len(target.seen) == 100 - failed, err
    assert "100 sent" in out
    assert "breaker-open" not in out


OTHER_COMMANDS = [
    ({"--resume": "20261123T100000Z-ffff"}, "there is no such run"),
    ({"--resume": "live"}, "there is no such run"),
    ({"--to": "http://127.0.0.1:9"}, "--to must be http://127.0.0.1:"),
    ({"--until": "now"}, "--until must be "),
    ({"--from": "4m"}, "--from must be "),
    ({"--speed": "5"}, "--speed must be 4, as for that run, and not 5"),
    ({"--sample": "0.5"}, "--sample must be 1, as for that run, and not 0.5"),
    ({"--app": "shop"}, "--app must be unset, as for that run, and not shop"),
    ({"--baseline": "http://127.0.0.1:9"}, "--baseline must be unset"),
    ({"--for": "1m"}, "a run with --stages, --for, --loop or --find-limit cannot be resumed"),
]


def test_another_command_line_does_not_resume_a_run(
    environ: dict[str, str], redis_client: redis.Redis
) -> None:
    append(Settings.load(environ), [line(f"/{number}") for number in range(40)], time.time() - 60, gap_s=0.25)
    with RecordingTarget() as target:
        _, resume = interrupted(environ, target)
        sent = len(target.seen)
        ((run_id, info),) = replay.runs(redis_client)
        for changes, said in OTHER_COMMANDS:
            code, _, err = finished(
                environ, *resume, *(word for change in changes.items() for word in change)
            )
            assert (code, said in err) == (2, True), err
        assert len(target.seen) == sent
    assert replay.runs(redis_client) == [(run_id, info)]
    assert redis_client.exists(keys.replay_run(run_id, "pairs"))  # It can still be resumed.


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


def test_a_run_of_one_app_names_it_for_the_links_of_the_page(
    environ: dict[str, str], redis_client: redis.Redis
) -> None:
    writer = open_log(Settings.load(environ)).writer()
    message = router_message(line("/a"), time.time() - 60, app="shop", received_s=time.time())
    writer.append("a frame", [encode(message)], 5.0)
    writer.close()
    with RecordingTarget() as target:
        for further in (["--app", "shop"], []):
            finished(environ, "--from", "5m", "--speed", "max", "--to", target.url, *further)
    assert sorted(info.get("app", "none") for _, info in replay.runs(redis_client)) == ["none", "shop"]


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
    assert "--resume" not in err
    assert "would be a run of its own" in err
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
