"""`python -m app requests` on a real log: what it finds, prints and says, and how it ends."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from unittest import mock

import orjson
import pytest
import redis

from app.cli.main import main
from app.log import open_log
from app.log.redis.stream import META
from app.message import RouterMessage, encode, message_id
from app.settings import Settings
from app.timespec import iso
from servers.messages import router_line, router_message
from servers.processes import ROOT, wait_until
from servers.redis_server import RedisServer
from tests.consumers.metrics.tables import HealingWorker
from tests.support.logged import write_log

KEYS = [
    "time", "received", "app", "route", "method", "path", "host", "status", "code", "at", "failed", "aborted",
    "dyno", "service_ms", "connect_ms", "is_connection", "bytes", "request_id", "client", "fwd", "protocol",
    "id",
]  # fmt: skip
"""Documented in docs/requests.md; programs rely on them."""


def command(url: str, *words: str) -> tuple[int, str, str]:
    return command_of({"REDIS_URL": url}, *words)


def command_of(environ: Mapping[str, str], *words: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of the command, run in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    # What gives way for good is a process of its own.
    with mock.patch("os.nice"), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(["requests", *words], environ)
        except SystemExit as usage:
            code = int(str(usage.code))
    return code, _text(out), _text(err)


def _text(written: io.TextIOWrapper) -> str:
    written.seek(0)
    return written.read()


def test_it_gives_way_to_the_drain(redis_client: redis.Redis, redis_url: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "requests", "--follow"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "REDIS_URL": redis_url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: os.getpriority(os.PRIO_PROCESS, process.pid) == 10, "a low priority")
    finally:
        process.kill()
        process.wait(10)


def found(url: str, *words: str) -> list[dict[str, Any]]:
    """What --json prints."""
    _, out, _ = command(url, "--json", *words)
    return [orjson.loads(line) for line in out.splitlines()]


def request(number: int, at_s: float, app: str = "shop", **line: Any) -> RouterMessage:
    text = router_line(**{"path": f"/products/{number}?token=s3cret", "request_id": f"id-{number:03}"} | line)
    return router_message(text, at_s, id=message_id("f", number), app=app)


def incident(now_s: float) -> list[RouterMessage]:
    """Two minutes: one dyno fails on one route, another route times out."""
    messages = []
    for number in range(120):
        line: dict[str, Any] = {"dyno": f"web.{1 + number % 4}"}
        if number % 4 == 2:
            line |= {"status": 500, "dyno": "web.3", "service_ms": 40}
        if number % 30 == 7:
            line |= {
                "path": "/checkout",
                "status": 503,
                "code": "H12",
                "service_ms": 30_000,
                "method": "POST",
            }
        messages.append(
            request(number, now_s - 130 + number, app="blog" if number % 10 == 5 else "shop", **line)
        )
    return messages


@pytest.fixture
def logged(redis_client: redis.Redis, redis_url: str) -> str:
    """The URL of a Redis with the incident, logged and counted."""
    messages = incident(time.time())
    write_log(redis_client, messages)
    HealingWorker(redis_client).count(messages)
    return redis_url


def test_failed_requests_of_a_route_come_newest_first_with_what_it_took(logged: str) -> None:
    code, out, err = command(logged, "--app", "shop", "--route", "/products/:id", "--failed", "--limit", "3")
    head, *lines = out.splitlines()
    assert code == 0
    assert head.split() == [
        "TIME", "(UTC)", "STATUS", "CODE", "SERVICE", "DYNO", "METHOD", "REQUEST", "ID", "PATH"
    ]  # fmt: skip
    assert [line.split()[-1] for line in lines] == [f"/products/{n}?…" for n in (118, 114, 110)]
    assert all(line.split()[2:7] == ["500", "40", "ms", "web.3", "GET"] for line in lines)
    said = err.splitlines()
    assert said[0].startswith("3 requests found in ")
    assert "It stopped at --limit 3; to see more, raise it (0: all) or go on with --until " in said[0]
    assert said[1].startswith("the log reaches back to ")
    assert "nothing was received before" in said[1]
    onward = said[0].rpartition(" ")[2]
    _, out, _ = command(logged, "--failed", "--route", "/products/:id", "--limit", "2", "--until", onward)
    assert [line.split()[-1] for line in out.splitlines()[1:]] == [f"/products/{n}?…" for n in (110, 106)]


def test_each_filter_finds_its_own(logged: str) -> None:
    def count(*words: str) -> int:
        return len(found(logged, "--limit", "0", *words))

    assert count() == 120
    assert count("--app", "blog") == 12
    assert count("--status", "5xx") == 34
    assert count("--status", "503,404") == count("--status", "404", "--status", "503") == 4
    assert count("--status", "500-502") == 30
    assert count("--code", "h12") == count("--slower-than", "2s") == count("--method", "post") == 4
    assert count("--slower-than", "30s") == 0
    assert count("--dyno", "web.3", "--failed") == 30
    assert count("--dyno", "web") == 120
    assert count("--path", "/checkout") == 4
    assert count("--path", "/products/:id", "--status", "500") == 30
    assert count("--host", "SHOP.example.com:443") == count("--ip", "204.204.204.204") == 120
    assert count("--ip", "204.204.204.20") == 0
    assert [one["path"] for one in found(logged, "--request-id", "id-042")] == ["/products/42?…"]


def test_json_has_the_documented_keys_and_no_query(logged: str) -> None:
    (one,) = found(logged, "--request-id", "id-002")
    assert list(one) == KEYS
    assert (one["status"], one["service_ms"], one["failed"], one["aborted"]) == (500, 40.0, True, False)
    assert (one["route"], one["path"]) == ("/products/:id", "/products/2?…")
    assert one["client"] == one["fwd"] == "204.204.204.204"
    (one,) = found(logged, "--request-id", "id-002", "--show-query")
    assert one["path"] == "/products/2?token=s3cret"


def test_no_query_is_shown_unless_it_is_asked_for(logged: str) -> None:
    for words in ([], ["--json"], ["--group-by", "route"], ["--oldest-first"]):
        assert "s3cret" not in "".join(map(str, command(logged, "--limit", "0", *words)))
    assert "/products/119?token=s3cret" in command(logged, "--show-query")[1]


def test_groups_say_who_fails_and_how_much_of_the_time_it_takes(logged: str) -> None:
    code, out, err = command(logged, "--app", "shop", "--group-by", "dyno")
    assert code == 0
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["DYNO", "REQUESTS", "ERRORS", "ERROR", "RATE", "MEDIAN", "P95", "OF", "ALL", "TIME"]
    assert ["web.3", "30", "30", "100.0", "%", "40", "ms", "40", "ms"] in [row[:9] for row in rows]
    assert "108 requests found in 120 lines read" in err
    (timeouts, *_) = found(logged, "--group-by", "code", "--code", "H12")
    assert timeouts == {
        "code": "H12", "requests": 4, "errors": 4, "p50_ms": pytest.approx(30_000, rel=0.01),
        "p95_ms": pytest.approx(30_000, rel=0.01), "time_share": 1.0,
    }  # fmt: skip
    groups = found(logged, "--group-by", "route", "--limit", "1")
    assert [(group["route"], group["requests"]) for group in groups] == [
        ("/products/:id", 116),
        ("(other)", 4),
    ]


def test_a_span_is_of_the_times_that_the_router_logged(logged: str, redis_client: redis.Redis) -> None:
    all_of_them = found(logged, "--limit", "0", "--oldest-first")
    begin, end = all_of_them[10]["time"], all_of_them[20]["time"]
    some = found(logged, "--from", begin, "--until", end, "--oldest-first")
    assert [one["time"] for one in some] == [one["time"] for one in all_of_them[10:20]]


def test_nothing_found_is_exit_code_1_and_says_how_far_the_log_reaches(logged: str) -> None:
    code, out, err = command(logged, "--request-id", "nobody")
    assert (code, out) == (1, "")
    assert err.startswith("no request found in 120 lines read, ")
    assert "the log reaches back to " in err
    code, _, err = command(logged, "--until", "1h")
    assert code == 1
    assert "is before the log" in err


def test_an_empty_log_is_said(redis_url: str) -> None:
    code, out, err = command(redis_url)
    assert (code, out) == (1, "")
    assert "the log is empty" in err


def test_what_the_log_has_dropped_is_said(logged: str, redis_client: redis.Redis) -> None:
    redis_client.hset(META, "trimmed", 3)
    _, _, err = command(logged, "--from", "2h", "--failed")
    assert (
        "until then is missing or incomplete. To reach further back next time, raise `REDIS_LOG_MAX_MB`"
        in err
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--status", "7x"], "argument --status: must be statuses such as 503, 5xx or 500-504"),
        (["--status", "504-500"], "argument --status: must be statuses"),
        (["--status", "5xx,"], "argument --status: must be statuses"),
        (["--code", "12"], "argument --code: must be a code such as H12"),
        (["--ip", "1.2.3"], "argument --ip: must be an address"),
        (["--slower-than", "2"], "argument --slower-than: must be a time such as 500ms"),
        (["--path", "cart"], "argument --path: 'cart' must start with /"),
        (["--path", "/cart?a=b"], "argument --path: is compared without the query"),
        (["--dyno", ""], "argument --dyno: must not be empty"),
        (["--limit", "-1"], "argument --limit: must be a whole number"),
        (["--group-by", "path"], "argument --group-by: invalid choice"),
        (["--app", "a b"], "argument --app: must be an app's name"),
        (["--from", "tomorrow"], "--from: 'tomorrow' is not a time"),
        (["--until", "soon"], "--until: 'soon' is not a time"),
        (["--from", "10m", "--until", "20m"], "must be after --from"),
        (["--from", "2999-01-01T00:00Z"], "--from: 2999-01-01T00:00:00.000Z is in the future; times are UTC"),
        (["--follow", "--until", "now"], "--until: --follow has no end"),
        (["--route", "products"], "--route: no row is named 'products'"),
        (["--route", "/nope/:id", "--path", "/x"], "--path says which already"),
    ],
)
def test_bad_usage_names_the_flag(logged: str, words: list[str], said: str) -> None:
    code, out, err = command(logged, *words)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_an_unknown_app_is_said_as_report_says_it(logged: str) -> None:
    code, _, err = command(logged, "--app", "shpo")
    assert code == 1
    assert "unknown app 'shpo'. Known apps: shop, blog" in err


def test_a_route_that_is_no_row_is_a_pattern_and_the_nearest_row_is_suggested(logged: str) -> None:
    code, _, err = command(logged, "--route", "/product/:id")
    assert code == 1
    assert "none of 2 rows is named /product/:id. Did you mean /products/:id? Looking for paths" in err
    code, out, _ = command(logged, "--route", "/products/*rest", "--limit", "0", "--json")
    assert code == 0
    assert len(out.splitlines()) == 116


def test_not_found_and_other_say_that_they_are_worked_out(logged: str, redis_client: redis.Redis) -> None:
    code, _, err = command(logged, "--route", "(not found)")
    assert code == 1
    assert "no request was counted under (not found) yet" in err
    scans = [request(200 + n, time.time() - 20, path=f"/wp-{n}.php", status=404) for n in range(3)]
    HealingWorker(redis_client).count(scans)
    write_log(redis_client, [*incident(time.time()), *scans])
    code, out, err = command(logged, "--route", "(not found)", "--json")
    assert code == 0
    assert len(out.splitlines()) == 3
    assert "is worked out from the rows that there are now" in err


def test_what_clients_send_cannot_control_the_terminal(redis_client: redis.Redis, redis_url: str) -> None:
    at_s = time.time() - 30
    evil = "\x1b[2J\x1b]0;owned\x07\u202e\r\x9b1m"
    write_log(
        redis_client,
        [
            request(
                1,
                at_s,
                path=f"/{evil}",
                host=f"h{evil}".replace(" ", ""),
                dyno=f"web{evil}",
                method=f"G{evil}",
            )
        ],
    )
    for words in ([], ["--json"], ["--group-by", "host"], ["--group-by", "dyno", "--json"], ["--show-query"]):
        code, out, err = command(redis_url, *words)
        assert code == 0
        assert all(char.isprintable() for char in (out + err).replace("\n", "")), words


def test_without_redis_it_is_one_line_without_a_secret() -> None:
    code, out, err = command("redis://:SECRET@127.0.0.1:1/0")
    assert (code, out) == (2, "")
    assert "SECRET" not in err
    assert err.count("\n") == 1


def test_a_reader_that_goes_away_is_no_error(logged: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m app requests --limit 0 | head -2"],
        cwd=ROOT, env={"PATH": os.environ["PATH"], "REDIS_URL": logged},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert len(done.stdout.splitlines()) == 2
    assert "Traceback" not in done.stderr


# --- the live tail --------------------------------------------------------------------------


class Running:
    """The command as a process, its output as it comes."""

    def __init__(self, url: str, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app", "requests", *words],
            cwd=ROOT, env={"PATH": os.environ["PATH"], "REDIS_URL": url}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.out = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.out += line

    def has(self, text: str) -> Callable[[], bool]:
        return lambda: text in self.out

    def end(self) -> tuple[int, str, str]:
        assert self.process.stderr is not None
        code = self.process.wait(30)
        self._reader.join(10)
        return code, self.out, self.process.stderr.read()

    def interrupt(self) -> tuple[int, str, str]:
        self.process.send_signal(signal.SIGINT)
        return self.end()


def append(url: str, numbers: Sequence[int], **line: Any) -> None:
    writer = open_log(Settings(redis_url=url)).writer()
    for number in numbers:
        writer.append(
            f"frame-{number}", [encode({**request(number, time.time(), **line), "id": f"x.{number}"})], 5
        )
    writer.close()


def test_follow_shows_what_comes_in_through_an_outage_and_ctrl_c_ends_it() -> None:
    with RedisServer() as server:
        append(server.url, [1])
        running = Running(server.url, "--follow", "--json", "--status", "500", "--from", "1m")
        try:
            append(server.url, [2], status=500)
            wait_until(running.has("id-002"), "the first request")
            append(server.url, [3], status=500)
            append(server.url, [4])
            wait_until(running.has("id-003"), "the second request")
            server.stop()
            time.sleep(2.5)
            server.start()
            append(server.url, [5, 6], status=500)
            wait_until(running.has("id-006"), "what came after the outage", timeout_s=40)
            time.sleep(1.5)
        finally:
            code, out, err = running.interrupt()
    assert code == 130
    assert [orjson.loads(line)["request_id"] for line in out.splitlines()] == [
        "id-002", "id-003", "id-005", "id-006"
    ]  # fmt: skip
    assert err.count("nothing that comes in is missed") <= 1
    assert "4 requests found in " in err
    assert "(interrupted)" in err


def test_follow_begins_now_and_a_limit_ends_it(redis_client: redis.Redis, redis_url: str) -> None:
    write_log(redis_client, [request(1, time.time() - 60)])
    running = Running(redis_url, "--follow", "--limit", "2", "--json")
    deadline = time.monotonic() + 40
    number = 100
    while running.process.poll() is None:
        assert time.monotonic() < deadline
        append(redis_url, [number])
        number += 1
        time.sleep(0.3)
    code, out, err = running.end()
    ids = [orjson.loads(line)["request_id"] for line in out.splitlines()]
    assert len(ids) == 2
    assert "id-001" not in ids
    assert int(ids[1][3:]) == int(ids[0][3:]) + 1
    assert code == 0
    assert "It ended at --limit" in err


def test_ctrl_c_prints_what_was_counted_so_far(redis_client: redis.Redis, redis_url: str) -> None:
    write_log(redis_client, [request(number, time.time() - 30) for number in range(20)])
    running = Running(redis_url, "--follow", "--from", "1m", "--group-by", "dyno", "--json")
    others = len(redis_client.client_list())
    wait_until(lambda: len(redis_client.client_list()) > others, "a connection", timeout_s=30)
    time.sleep(3)
    code, out, err = running.interrupt()
    assert code == 130
    assert orjson.loads(out)["requests"] == 20
    assert "20 requests found in 20 lines read" in err


def test_times_of_the_output_can_be_pasted_into_from_and_until(logged: str) -> None:
    (one,) = found(logged, "--request-id", "id-050")
    at = one["time"]
    assert iso(int(time.time() * 1000))[10] == at[10] == "T"
    assert [same["request_id"] for same in found(logged, "--from", at, "--oldest-first", "--limit", "1")] == [
        "id-050"
    ]
