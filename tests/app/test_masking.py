"""No URL's password in what anything says, wherever the URL was given and however broken it is."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.main import main
from app.masking import HIDDEN, MASK, mask_url, safe_repr, without_logins, without_query, without_words
from app.settings.settings import FIELDS
from servers.processes import ROOT

MARK = "topsecretx"
URLS = [
    f"http://a:{MARK}@h/",
    f"http://:{MARK}@h",
    f"http://{MARK}@h/",
    f"http://a:b/{MARK}@h",
    f"http://a:1/{MARK}@h",
    f"http://a:1?{MARK}@h",
    f"http://a:1#{MARK}@h",
    f"http://a:{MARK} x@h:9/",
    f"http://a:{MARK}@[::1",
    f"http://a:{MARK}",
    f"http://a:{MARK}%40h/",
    f"a:{MARK}@h",
    f"x:{MARK}@h:99999",
    f"redis://a:{MARK}@h:x/0",
    f"redis://:1234/{MARK}@127.0.0.1:1/0",
    f"redis://:1234?{MARK}@127.0.0.1:1/0",
    f"kafka://a:{MARK}@h:9092",
    f"//a:{MARK}@h",
]


def told(words: list[str], **environ: str) -> str:
    """What a process prints."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "REDIS_URL": "redis://127.0.0.1:1/0", **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


OPTIONS = [
    "--from",
    "--until",
    "--to",
    "--baseline",
    "--speed",
    "--rate",
    "--concurrency",
    "--sample",
    "--app",
    "--fail-if",
    "--report",
    "--target",
]


def quickly(words: list[str], environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command prints, run in this process."""
    with contextlib.suppress(SystemExit):
        main(words, {"REDIS_URL": "redis://127.0.0.1:1/0", **environ})
    found = capsys.readouterr()
    return found.out + found.err


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_of_replay(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    for url in URLS:
        rest = {"--from": "5m", "--to": "http://127.0.0.1:1"} | {option: url}
        for words in (
            ["replay", *(word for pair in rest.items() for word in pair)],
            ["replay", *(f"{name}={value}" for name, value in rest.items())],
        ):
            said = quickly(words, {}, capsys)
            assert said
            assert MARK not in said, words


@pytest.mark.parametrize(
    "words",
    [
        ["{}"],
        ["replay", "{}"],
        ["replay", "--from", "5m", "--to"],
        ["report", "--since", "{}"],
        ["report", "--app", "{}"],
        ["report", "--routes", "{}"],
        ["report", "--format", "{}"],
        ["report", "--format={}"],
        ["report", "--so={}"],
        ["top", "--every", "{}"],
        ["top", "--sort", "{}"],
        ["top", "--window", "{}"],
        ["dead-letters", "{}"],
        ["dead-letters", "drop", "{}"],
        ["dead-letters", "list", "--re={}"],
        ["config", "{}"],
        ["release", "{}"],
    ],
    ids=" ".join,
)
def test_a_word_where_none_belongs(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for url in URLS:
        filled = [word.replace("{}", url) for word in words]
        said = quickly(filled, {}, capsys)
        assert said
        assert MARK not in said, filled


@pytest.mark.parametrize("name", [spec.name for spec in FIELDS])
def test_a_setting(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for url in URLS:
        for command in ("config", "release") if url == URLS[0] else ("config",):
            said = quickly([command], {name: url}, capsys)
            assert said
            assert MARK not in said, (name, url)


YAML = [
    "'{}': x",
    "routes: ['{}']",
    "routes: ['/a', '{}']",
    "routes: ['/*{}/x']",
    "tokens: {'{}': shop}",
    "tokens: {d.1: '{}'}",
    "replay: ['{}']",
    "replay: [{'{}': x}]",
    "replay: [{do: '{}'}]",
    "replay: [{path: '{}'}]",
    "replay: [{status: '{}'}]",
    "replay: [{set_headers: {'{}': x}}]",
    "replay: [{set_headers: {X: '{}\u00e9'}}]",
    "replay: [{set_headers: '{}'}]",
    "replay: [{remove_headers: '{}'}]",
    "replay: [{rewrite_path: '{}'}]",
    "replay: [{rewrite_path: {match: '({}', replace: x}}]",
    "targets: '{}'",
    "targets: {'{}': x}",
    "targets: {ops: '{}'}",
    "targets: {ops: {kind: '{}'}}",
    "targets: {ops: {kind: slack, '{}': x}}",
    "targets: {ops: {kind: slack, url: '{}'}}",
    "targets: {ops: {kind: teams, url: '{}'}}",
    "targets: {ops: {kind: webhook, url: '{}', secret: '{}'}}",
    "targets: {ops: {kind: pagerduty, url: '{}', key: '{}'}}",
    "targets: {ops: {kind: email, url: '{}', from: '{}', to: '{}'}}",
    "targets: {ops: {kind: email, url: '${GIVEN}', from: '${GIVEN}', to: ['{}']}}",
    "targets: {ops: {kind: webhook, url: '${GIVEN}', secret: '${GIVEN}'}}",
    "x: '{}",
]


@pytest.mark.parametrize("text", YAML)
def test_a_value_of_the_file(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "tailrace.yaml"
    for url in URLS:
        file.write_text(text.replace("{}", url), "utf-8")
        environ = {"TAILRACE_CONFIG": str(file), "REPLAY_HOST": "http://127.0.0.1:1", "GIVEN": url}
        for words in (["config"], ["release"], ["replay", "--from", "5m", "--to", "http://127.0.0.1:1"]):
            assert MARK not in quickly(words, environ, capsys), words


@pytest.mark.parametrize("module", ["app", "consumers.metrics", "consumers.replay"])
def test_a_process_that_cannot_start(module: str) -> None:
    words = ["-m", module, *(["release"] if module == "app" else [])]
    for name in ("REPLAY_HOST", "REDIS_URL", "KAFKA_URL", "KAFKA_PREFIX", "PORT", "TAILRACE_CONFIG"):
        said = told(words, **{name: URLS[0]})
        assert name in said
        assert MARK not in said


def test_what_is_no_url_is_said_as_it_is() -> None:
    assert safe_repr("banana") == "'banana'"
    assert safe_repr("10:99") == "'10:99'"
    assert safe_repr("users/:name") == "'users/:name'"
    assert safe_repr(URLS[0]) == HIDDEN
    assert without_words("invalid choice: 'tpo'", ["tpo", "--x=1"]) == "invalid choice: 'tpo'"


def test_a_setting_in_force_hides_the_login_of_a_url_and_no_more() -> None:
    assert without_logins("bot (+https://u:p@h/about)") == f"bot (+https://{MASK}@h/about)"
    assert without_logins("user:p/q@h and more") == f"{MASK}@h and more"
    assert without_logins("logplex@example.com") == "logplex@example.com"
    assert without_logins("http://[::1]:80/ http://h:80") == "http://[::1]:80/ http://h:80"
    assert mask_url("rediss://u:p/x@h:1/0?password=y#z") == f"rediss://{MASK}@h:1/0"


@pytest.mark.parametrize(
    ("path", "shown"),
    [("/cart", "/cart"), ("/cart?", "/cart?…"), ("/a?token=x?y", "/a?…"), ("?q", "?…"), ("", "")],
)
def test_of_a_query_only_that_there_is_one_is_shown(path: str, shown: str) -> None:
    assert without_query(path) == shown
