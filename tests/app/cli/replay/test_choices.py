"""What of the log is replayed, and how it is addressed: a real log, real targets, real exit codes."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis

from app.log import open_log
from app.message import encode, message_id
from app.settings import Settings
from app.store import replay
from app.timespec import iso
from servers.messages import router_line, router_message
from tests.app.cli.replay.test_command import finished
from tests.consumers.replay.samples import append, line
from tests.support.target import RecordingTarget, answer

HOUR_S = 3_600


@pytest.fixture
def environ(redis_url: str) -> dict[str, str]:
    return {"REDIS_URL": redis_url}


def received(
    environ: dict[str, str], lines: Sequence[str], at_s: float, app: str = "", gap_s: float = 0.0
) -> None:
    """Appends the lines, each a frame, as if the drain had received them then."""
    writer = open_log(Settings.load(environ)).writer()
    for number, text in enumerate(lines):
        frame_id, then_s = str(uuid.uuid4()), at_s + number * gap_s
        message = router_message(text, then_s, id=message_id(frame_id, 0), received_s=then_s, app=app)
        writer.append(frame_id, [encode(message)], 5.0)
    writer.close()


def clock(at_s: float) -> str:
    return iso(int(at_s * 1000))


def test_a_window_before_the_log_is_said_at_once_and_leaves_no_run(
    environ: dict[str, str], redis_client: redis.Redis
) -> None:
    append(Settings.load(environ), [line("/a")])
    day = datetime.now(UTC) - timedelta(days=3)
    words = ["--from", f"{day:%Y-%m-%d}T18:00", "--until", "19:00", "--fail-if", "p95>+20%"]
    with RecordingTarget() as target:
        for more in ([], ["--dry-run"]):
            code, out, err = finished(environ, *words, "--to", target.url, *more)
            assert code == 4
            assert f"{day:%Y-%m-%d}T18:00Z to {day:%Y-%m-%d}T19:00Z, is before the log" in err
            assert "the log reaches back to " in err
            assert "times without an offset are UTC" in err
            assert out == ""
        assert finished(environ, *words, "--to", target.url, "--strict")[0] == 1
        assert target.seen == []
    assert replay.runs(redis_client) == []


def test_an_empty_log_the_future_and_silence_are_said_and_leave_no_run(
    environ: dict[str, str], redis_client: redis.Redis
) -> None:
    words = ["--to", "http://127.0.0.1:9"]
    code, _, err = finished(environ, "--from", "5m", *words)
    assert (code, "the log is empty" in err) == (4, True)
    received(environ, [line("/a"), line("/b")], time.time() - HOUR_S, gap_s=1_800)
    code, _, err = finished(environ, "--from", clock(time.time() + HOUR_S), "--until", "2100-01-01", *words)
    assert (code, "begins in the future" in err) == (4, True)
    code, _, err = finished(environ, "--from", "5m", *words)
    assert (code, "is after the log's last request" in err) == (4, True)
    assert "(30 min ago)" in err
    code, _, err = finished(environ, "--from", "50m", "--until", clock(time.time() - 2_400), *words)
    assert (code, "nothing was received from" in err) == (4, True)
    assert replay.runs(redis_client) == []


def test_a_window_that_the_log_has_lost_half_of_is_inconclusive_and_never_passes(
    environ: dict[str, str], redis_client: redis.Redis
) -> None:
    now_s = time.time()
    # Lines of 8 kB that hardly shrink: 3 MB, of which 1 MB is kept.
    lines = [line("/a?" + secrets.token_hex(4_000)) for _ in range(360)]
    received({**environ, "REDIS_LOG_MAX_MB": "1"}, lines, now_s - HOUR_S, gap_s=10)
    words = ["--from", "1h", "--speed", "max", "--fail-if", "errors>20%"]
    with RecordingTarget() as target:
        code, out, err = finished(environ, *words, "--to", target.url)
        assert 0 < len(target.seen) < 360
    assert "of the window are missing or incomplete" in err
    assert "raise `REDIS_LOG_MAX_MB`" in err
    assert "of the window is not in the log" in out
    assert code == 4
    with RecordingTarget() as target:
        assert finished(environ, *words, "--strict", "--to", target.url)[0] == 1
    with RecordingTarget(answer(500)) as target:  # What is there still fails.
        assert finished(environ, *words, "--to", target.url)[0] == 1
    with RecordingTarget() as target:
        code, out, err = finished(environ, "--from", "10m", *words[2:], "--to", target.url)
    assert (code, "missing" in err) == (0, False)


def test_an_app_or_a_route_that_no_request_is_of_is_said_with_those_that_there_are(
    environ: dict[str, str], redis_client: redis.Redis
) -> None:
    received(environ, [line("/cart"), line("/check\x1bout")], time.time() - 60, app="shop")
    with RecordingTarget() as target:
        words = ["--from", "5m", "--speed", "max", "--to", target.url]
        for more, said in (
            (["--app", "nope"], "no request in the window is of the app 'nope'. The apps in it: shop"),
            (["--only-route", "/crat"], "The routes in it: /cart, /check%1Bout. Did you mean /cart?"),
            (["--exclude-route", "/cart", "--only-route", "/cart"], "none would be sent: route (2)"),
            (["--sample", "0"], "sample (2): raise --sample"),
        ):
            for dry in ([], ["--dry-run"]):
                code, out, err = finished(environ, *words, *more, *dry)
                assert (code, out) == (4, "")
                assert said in err
        assert target.seen == []
        code, _, err = finished(environ, *words, "--only-route", "users")
        assert (code, "--only-route must be a route" in err) == (2, True)
    assert replay.runs(redis_client) == []


def test_only_and_exclude_choose_by_the_routes_that_the_page_names(environ: dict[str, str]) -> None:
    paths = ["/users/1", "/users/2?q=1", "/cart", "/caf%C3%A9", "/admin"]
    append(Settings.load(environ), [line(path) for path in paths])
    with RecordingTarget() as target:
        words = ["--from", "5m", "--speed", "max", "--concurrency", "1", "--to", target.url]
        only = ["--only-route", "/users/:id", "--only-route", "/caf%C3%A9", "--exclude-route", "/adnim"]
        _, dry, _ = finished(environ, *words, *only, "--dry-run")
        code, out, err = finished(environ, *words, *only)
        assert target.targets() == [b"/users/1", b"/users/2?q=1", b"/caf%C3%A9"]
    assert "would send 3 of 5 requests" in dry
    assert "not sent (route) /admin" in dry
    assert (code, "not sent (route): 2" in out) == (0, True)
    assert "of the route /adnim. Did you mean /admin?" in err


def test_a_seed_chooses_the_same_sample_each_time_and_another_seed_another(environ: dict[str, str]) -> None:
    append(Settings.load(environ), [line(f"/{number}") for number in range(200)])
    sent = []
    for seed in ("", "a", "a", "b"):
        with RecordingTarget() as target:
            words = ["--from", "5m", "--speed", "max", "--sample", "0.5", "--to", target.url]
            finished(environ, *words, *(["--seed", seed] if seed else []))
            sent.append(set(target.targets()))
    assert sent[1] == sent[2]
    assert sent[0] != sent[1] != sent[3]
    assert all(60 < len(one) < 140 for one in sent)


def test_what_the_methods_leave_out_is_named_route_by_route(
    environ: dict[str, str], redis_client: redis.Redis
) -> None:
    append(
        Settings.load(environ),
        [line("/cart")] * 40 + [line("/checkout", method="POST")] * 508 + [line("/cart", method="POST")] * 50,
    )
    with RecordingTarget() as target:
        code, out, _ = finished(environ, "--from", "5m", "--speed", "max", "--to", target.url)
    assert code == 0
    assert "the verdict does not cover these routes, of which less was sent than left out:\n" in out
    assert "  /checkout: left out wholly, 508 requests not sent (method POST 508)\n" in out
    assert "  /cart: 40 sent, 50 requests not sent (method POST 50)\n" in out
    ((run_id, _),) = replay.runs(redis_client)
    kept = replay.run(redis_client, run_id)
    assert kept is not None
    assert kept.figures.left_out == {("method POST", "/checkout"): 508, ("method POST", "/cart"): 50}


def test_originals_that_cannot_be_compared_change_no_status_and_are_kept_by_reason(
    environ: dict[str, str], redis_client: redis.Redis
) -> None:
    statuses = [200] * 40 + [304] * 30 + [206] * 5 + [499] * 3
    lines = [line("/a", status=status) for status in statuses]
    lines += [
        router_line("/a", status=status, service_ms=9).replace("at=info", "at=error code=H12", 1) + "\n"
        for status in (503, 200)
    ]
    append(Settings.load(environ), lines)
    words = ["--from", "5m", "--speed", "max", "--fail-if", "status-changed>10%"]
    with RecordingTarget() as target, RecordingTarget() as baseline:
        code, out, _ = finished(environ, *words, "--to", target.url)
        assert (code, "0 with another status" in out) == (0, True)
        code, _, _ = finished(environ, *words, "--to", target.url, "--baseline", baseline.url)
        assert code == 0
    found = {}
    for run_id, info in replay.runs(redis_client):
        kept = replay.run(redis_client, run_id)
        assert kept is not None
        found["baseline" in info] = kept.figures.uncomparable
    assert found[True] == {}
    assert {reason[:3]: count for reason, count in found[False].items()} == {
        "304": 30,
        "206": 5,
        "499": 3,
        "H12": 2,
    }


def test_the_targets_base_path_comes_before_each_path_byte_for_byte(environ: dict[str, str]) -> None:
    paths = ["/a%2Fb?x=1", "//double//", "/../up", "/?q"]
    append(Settings.load(environ), [line(path) for path in paths], gap_s=0.001)
    words = ["--from", "5m", "--speed", "max", "--concurrency", "1"]
    with RecordingTarget() as target, RecordingTarget() as baseline:
        more = ["--to", f"{target.url}/base/", "--baseline", f"{baseline.url}/v1"]
        assert finished(environ, *words, *more)[0] == 0
        assert target.targets() == [b"/base" + path.encode() for path in paths]
        assert baseline.targets() == [b"/v1" + path.encode() for path in paths]
        finished({**environ, "REPLAY_HOST": f"{baseline.url}/set"}, *words)
        assert baseline.targets()[4:] == [b"/set" + path.encode() for path in paths]
        code, _, err = finished(environ, *words, "--to", f"{target.url}/a/../b")
        assert (code, "--to must not have a path with the segments . or .." in err) == (2, True)


def hosts(target: RecordingTarget) -> list[str]:
    return [seen.headers["host"] for seen in target.seen]


def test_keep_host_sends_each_lines_own_host_to_a_target_with_many(environ: dict[str, str]) -> None:
    sites = ["a.example.com", "B.example.com:8080", "bad host", ""]
    lines = [router_line(f"/{number}", host=site or '""') + "\n" for number, site in enumerate(sites)]
    append(Settings.load(environ), lines, gap_s=0.001)
    words = ["--from", "5m", "--speed", "max", "--concurrency", "1"]
    with RecordingTarget() as target:
        finished(environ, *words, "--to", target.url, "--keep-host")
        own = f"127.0.0.1:{target.port}"
        assert hosts(target) == ["a.example.com", "B.example.com:8080", "bad", own]
        finished(environ, *words, "--to", target.url)
        assert hosts(target)[4:] == [own] * 4


def test_keep_host_never_reaches_the_address_of_a_host_that_the_lines_come_from(
    environ: dict[str, str], tmp_path: Path
) -> None:
    # One address of this network's documentation range, as a name server and as a person may write it.
    append(Settings.load(environ), [router_line("/a", host="[::ffff:192.0.2.7]:80") + "\n"])
    words = ["--from", "5m", "--speed", "max", "--to", "http://192.0.2.7"]
    code, _, err = finished({**environ, "REPLAY_TIMEOUT_MS": "50"}, *words, "--keep-host")
    assert code == 2
    assert "192.0.2.7 in common" in err
    assert "REPLAY_ALLOW_SAME_HOST" in err
    for more, said in (
        (["--to", "https://staging-shop.herokuapp.com"], "a router that many apps share, herokuapp.com"),
        (["--to", "http://127.0.0.1:9", "--baseline", "https://x.fly.dev"], "fly.dev"),
    ):
        code, _, err = finished(environ, "--from", "5m", *more, "--keep-host")
        assert (code, said in err) == (2, True)
    both = {**environ, "REPLAY_HOST_HEADER": "a.example.com"}
    code, _, err = finished(both, "--from", "5m", "--to", "http://127.0.0.1:9", "--keep-host")
    assert (code, "contradict each other" in err) == (2, True)
