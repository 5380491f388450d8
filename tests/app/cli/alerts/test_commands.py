"""`python -m app alerts`: list, test and silence, as a user calls them, on a real Redis and receiver."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import orjson
import pytest
import redis

from app.alerts.facts import Facts
from app.alerts.redis.facts import FactsReader
from app.alerts.redis.lease import acquire
from app.alerts.redis.silences import silences
from app.alerts.redis.view import alerts_view
from app.alerts.targets.slack import Slack
from app.cli.main import main
from app.errors import LogUnavailable
from app.settings import Settings
from servers.figures import SeenRequest, fill
from tests.app.cli.commands import run_command

NOWHERE = "redis://127.0.0.1:1/0"


class Receiver(BaseHTTPRequestHandler):
    """Answers with the status that the path names."""

    received: ClassVar[list[dict[str, object]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append(orjson.loads(body))
        self.send_response(int(self.path.partition("?")[0].strip("/")))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the tests' output is read by people."""


@pytest.fixture
def receiver() -> Iterator[str]:
    """Its address."""
    Receiver.received.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def webhook(address: str, status: int) -> dict[str, str]:
    return {"ALERT_WEBHOOK_URL": f"{address}/{status}?token=HIDDEN", "ALERT_WEBHOOK_SECRET": "s" * 32}


def alerts(environ: Mapping[str, str], *words: str) -> int:
    return main(["alerts", *words], environ)


def test_a_test_message_gets_to_the_target_without_redis(
    receiver: str, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"REDIS_URL": NOWHERE, "TAILRACE_URL": "https://tailrace.example.com", **webhook(receiver, 200)}
    assert alerts(environ, "test", "webhook") == 0
    (content,) = Receiver.received
    assert (content["kind"], content["findings"]) == ("test", [])
    assert str(content["link"]).startswith("https://tailrace.example.com")
    out, err = capsys.readouterr()
    assert "webhook (webhook, 127.0.0.1): took it, in " in out
    assert err == ""


def test_why_a_target_did_not_take_it_is_said_without_its_address(
    receiver: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alerts({"REDIS_URL": NOWHERE, **webhook(receiver, 500)}, "test", "webhook") == 1
    out, err = capsys.readouterr()
    assert "webhook (webhook, 127.0.0.1): " in out
    assert "500" in out
    assert "HIDDEN" not in out + err
    assert "/500" not in out + err


def test_all_targets_of_a_rule_are_tried_even_if_one_fails(
    receiver: str, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {**webhook(receiver, 200), "ALERT_SLACK_URL": "https://127.0.0.1:1/services/HIDDEN"}
    assert alerts(environ, "test", "errors") == 1
    out, err = capsys.readouterr()
    assert len(Receiver.received) == 1
    assert out.count("\n") == 2
    assert "HIDDEN" not in out + err


def test_a_defect_while_sending_is_a_failure_without_its_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def send(*arguments: object) -> None:
        raise RuntimeError("/services/HIDDEN")

    monkeypatch.setattr(Slack, "send", send)
    assert alerts({"ALERT_SLACK_URL": "https://127.0.0.1:1/services/HIDDEN"}, "test", "slack") == 1
    out, err = capsys.readouterr()
    assert "slack (slack, 127.0.0.1): RuntimeError while sending" in out
    assert "HIDDEN" not in out + err


def test_an_unknown_name_lists_targets_and_rules(receiver: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert alerts(webhook(receiver, 200), "test", "pager") == 2
    _, err = capsys.readouterr()
    assert "no target and no rule is named 'pager'. Targets: webhook; rules: errors," in err
    assert Receiver.received == []


def test_a_rule_without_a_target_says_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert alerts({}, "test", "errors") == 2
    assert "ALERT_SLACK_URL" in capsys.readouterr().err


def test_a_silence_begins_and_ends(
    redis_url: str, redis_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"REDIS_URL": redis_url}
    assert alerts(environ, "silence", "errors", "1h") == 0
    (one,) = silences(redis_client, time.time())
    assert (one.rule, one.app) == ("errors", "")
    assert 3_590 <= one.until_s - time.time() <= 3_601
    assert "errors, every app: nothing is sent for 60 min, until " in capsys.readouterr().out
    assert alerts(environ, "silence", "errors", "--end") == 0
    assert silences(redis_client, time.time()) == []
    assert alerts(environ, "silence", "errors", "--end") == 1
    assert "not silenced" in capsys.readouterr().err


def test_every_rule_of_one_app_can_be_silenced(
    redis_url: str, redis_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alerts({"REDIS_URL": redis_url}, "silence", "all", "2d", "--app", "shop") == 0
    assert [(one.rule, one.app) for one in silences(redis_client, time.time())] == [("", "shop")]
    out, err = capsys.readouterr()
    assert out.startswith("every rule, shop: ")
    assert "unknown app 'shop'" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("theirs", "1h"), "no rule is named 'theirs'. There are: errors,"),
        (("errors",), "for how long?"),
        (("errors", "1h", "--end"), "--end: takes no TIME"),
        (("errors", "soon"), "TIME must be a number with s, m, h, d or w"),
        (("errors", "90d"), "TIME must be from 60s to 31d"),
        (("errors", "1h", "--app", "a b"), "--app"),
    ],
)
def test_bad_usage_says_what_to_write(
    words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = alerts({"REDIS_URL": NOWHERE}, "silence", *words)
    except SystemExit as ended:  # argparse's own way.
        code = int(ended.code or 0)
    assert code == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("words", [("list",), ("silence", "errors", "1h"), ("silence", "errors", "--end")])
def test_without_redis_it_is_one_line(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert alerts({"REDIS_URL": NOWHERE}, *words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Redis at redis://127.0.0.1:1/0: ")
    assert err.count("\n") == 1


def test_the_list_says_first_that_nothing_is_judged(
    redis_url: str, redis_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alerts({"REDIS_URL": redis_url}, "list") == 0
    assert capsys.readouterr().out.startswith("NOT KNOWN: no rule was judged yet")


def test_the_list_as_json_is_what_the_api_gives(
    redis_url: str, redis_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    assert acquire(redis_client, "alerts.1")
    assert alerts({"REDIS_URL": redis_url}, "list", "--json") == 0
    found = orjson.loads(capsys.readouterr().out)
    view = alerts_view(redis_client, Settings(), "", None, time.time())
    assert found == orjson.loads(orjson.dumps(view))


def test_a_backtest_finds_what_failed_in_the_traffic_that_is_kept(
    redis_url: str, redis_client: redis.Redis
) -> None:
    now_s = time.time()
    bad = range(900, 1_500)
    requests = [
        SeenRequest(now_s - age, "/checkout", app="shop", status="503" if age in bad else "200")
        for age in range(60, 2_400, 2)
    ]
    fill(redis_client, requests, now_s)
    code, out, err = run_command(redis_url, "alerts", "backtest", "--from", "35m", "--json")
    assert (code, err) == (0, "")
    found = orjson.loads(out)
    (incident,) = found["incidents"]
    assert (incident["app"], incident["severity"]) == ("shop", "critical")
    assert "errors" in incident["rules"]
    assert now_s - 1_500 <= incident["fired_s"] <= now_s - 1_500 + 180
    assert now_s - 900 <= incident["resolved_s"] <= now_s - 900 + 300
    assert (incident["messages"], found["messages"], found["is_whole"]) == (2, 2, True)
    assert {left["rule"] for left in found["left_out"]} >= {"tailrace", "crashes"}


def test_a_backtest_without_traffic_finds_nothing_and_says_what_it_left_out(redis_url: str) -> None:
    code, out, err = run_command(redis_url, "alerts", "backtest", "--from", "10m")
    assert (code, err) == (0, "")
    assert out.startswith("0 incidents, at most 0 messages to a target. Judged: ")
    assert "tailrace: whether Tailrace itself was well is not kept." in out


def failing_after(moments: int, fault: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading facts fails from then on."""
    really, done = FactsReader.read, iter(range(moments))

    def read(*arguments: Any) -> Facts:
        if next(done, None) is None:
            raise fault
        return really(*arguments)

    monkeypatch.setattr(FactsReader, "read", read)


@pytest.mark.parametrize(
    ("fault", "code", "why"),
    [
        (redis.TimeoutError("Timeout reading from socket"), 2, "it does not answer in time"),
        (LogUnavailable("Kafka is unreachable"), 2, "Kafka is unreachable"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_a_backtest_that_ends_early_prints_what_it_has_and_from_when_to_when(
    redis_url: str,
    fault: BaseException,
    code: int,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("os.nice", lambda by: 0)
    failing_after(3, fault, monkeypatch)
    assert alerts({"REDIS_URL": redis_url}, "backtest", "--from", "10m", "--json") == code
    out, err = capsys.readouterr()
    found = orjson.loads(out)
    assert (found["moments"], found["until_s"] - found["from_s"], found["is_whole"]) == (3, 20, False)
    assert why in found["ended_by"]
    assert (why in err) == (code == 2)


def test_a_backtest_without_redis_prints_nothing_but_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.nice", lambda by: 0)
    assert alerts({"REDIS_URL": NOWHERE}, "backtest", "--rule", "errors") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Redis at redis://127.0.0.1:1/0: ")


def test_a_backtest_of_what_is_too_new_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert alerts({"REDIS_URL": NOWHERE}, "backtest", "--from", "20s") == 2
    assert "lines may still be on their way" in capsys.readouterr().err
