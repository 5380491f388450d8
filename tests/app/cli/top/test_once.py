"""`top` without a terminal: printed once, on a real Redis."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
import redis

from app.store.frame_events import Loss, record_once
from servers.figures import SeenRequest, fill
from servers.processes import ROOT

CODES = {"H27": 4, "H13": 3, "H12": 2, "H18": 1}
NO_WORKER = (
    "! No metrics worker is running. "
    "Start one: `heroku ps:scale metrics=1`, or `python -m consumers.metrics`."
)
LOST = (
    "! 12 messages from shop were lost in the last hour. If this continues, the drain was too slow or "
    "unreachable: add web processes, or give a noisy app its own Tailrace."
)
LONG = "/a-long-path-that-nobody-would-call-an-id" * 5


def top(redis_url: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", "top", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "REDIS_URL": redis_url, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def filled_url(redis_url: str, redis_client: redis.Redis) -> str:
    """Requests with H-codes on a long route, 100 other routes, a loss, and no worker."""
    now_s = time.time()
    seen = [
        SeenRequest(now_s - 30, LONG, status="503", code=code)
        for code, times in CODES.items()
        for _ in range(times)
    ]
    seen += [SeenRequest(now_s - 30, f"/route/{number}") for number in range(100)]
    seen += [SeenRequest(now_s - 30, "/\x1b]0;owned\x07[red]", service_ms=5)] * 50
    fill(redis_client, seen, now_s)
    record_once(redis_client, "frame", "shop", [Loss("L10", 12)], [], int(now_s))
    return redis_url


@pytest.mark.parametrize(("columns", "width"), [("", 120), ("100", 100), ("80", 80), ("nonsense", 120)])
def test_a_long_path_gives_way_and_rows_are_bounded(filled_url: str, columns: str, width: int) -> None:
    found = top(filled_url, **({"COLUMNS": columns} if columns else {}))
    assert (found.returncode, found.stderr) == (0, "")
    lines = found.stdout.splitlines()
    head = next(at for at, line in enumerate(lines) if line.startswith("ROUTE"))
    rows = lines[head : lines.index("", head)]
    assert len(rows) == 1 + 40
    assert max(map(len, rows)) <= width
    assert ("LONGEST" in lines[head]) == (width == 120)
    assert any("not shown, for lack of width: LONGEST" in line for line in lines) == (width < 120)
    assert any("\N{HORIZONTAL ELLIPSIS}" in row and row.endswith("H27:4 H13:3 H12:2 H18:1") for row in rows)
    assert lines[-1] == "40 of 102 routes are shown; `python -m app report --routes 0` shows all"


def test_warnings_and_codes_are_whole_and_nothing_controls_a_terminal(filled_url: str) -> None:
    lines = top(filled_url).stdout.splitlines()
    assert any(
        "H13 3 (Connection closed without response), H12 2 (Request timeout)" in line for line in lines
    )
    assert NO_WORKER in lines
    assert LOST in lines
    assert "".join(lines).isprintable()
    assert any(line.startswith("/\ufffd]0;owned\ufffd[red]") for line in lines)


def test_flags_choose_what_is_printed(filled_url: str) -> None:
    lines = top(filled_url, "--filter", "ROUTE/7", "--sort", "name", "--window", "1h").stdout.splitlines()
    assert ", last 1h (" in lines[0]
    assert [line.split()[0] for line in lines if line.startswith("/")][:3] == [
        "/route/7",
        "/route/70",
        "/route/71",
    ]
    assert "no route with 'nope'" in top(filled_url, "--filter", "nope").stdout
    for by, start in (("dyno", "web.1 "), ("host", "shop.example.com "), ("app", "(no name) ")):
        printed = top(filled_url, "--by", by).stdout.splitlines()
        assert any(line.startswith(start) for line in printed), printed
    refused = top(filled_url, "--sort", "speed")
    assert (refused.returncode, refused.stdout) == (2, "")


def test_aborted_requests_and_connections_are_shown_where_there_are_any(
    redis_url: str, redis_client: redis.Redis
) -> None:
    now_s = time.time()
    requests = [
        SeenRequest(now_s - 30, "/shop", status="499", code="H27"),
        SeenRequest(now_s - 30, "/cable", status="101", service_ms=531_114),
    ]
    fill(redis_client, requests, now_s)
    lines = [line.split() for line in top(redis_url, "--sort", "errors").stdout.splitlines() if line]
    assert ["aborted", "1"] in lines
    assert any(line[:2] == ["connections", "1,"] for line in lines)
    assert any("ABORTED" in line and "CONNECTIONS" in line for line in lines)


def test_warnings_of_other_apps_are_left_out(filled_url: str, redis_client: redis.Redis) -> None:
    now_s = time.time()
    fill(redis_client, [SeenRequest(now_s - 30, app="api"), SeenRequest(now_s - 30, app="shop")], now_s)
    assert LOST in top(filled_url, "--app", "shop").stdout
    assert "were lost" not in top(filled_url, "--app", "api").stdout


def test_an_unknown_app_is_said(filled_url: str) -> None:
    assert top(filled_url, "--app", "nope").stderr.startswith("unknown app 'nope'.")


@pytest.mark.parametrize(
    "arguments", [("--help",), ("top", "--help"), ("report", "--help"), ("top",), ("report",)]
)
def test_what_needs_no_screen_does_not_wait_for_textual(redis_url: str, arguments: tuple[str, ...]) -> None:
    script = (
        "import os, sys\n"
        "from app.cli.main import main\n"
        "try:\n"
        f"    main({list(arguments)!r}, os.environ)\n"
        "except SystemExit:\n"
        "    pass\n"
        "print([name for name in ('textual', 'rich', 'jinja2') if name in sys.modules], file=sys.stderr)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "REDIS_URL": redis_url},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.stderr == "[]\n"
