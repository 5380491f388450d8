"""Each sentence of the platform tells the fact that it should, and whatever else comes does no harm."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.message import RouterMessage, decode, encode
from app.platform.dynos import process_type
from app.platform.facts import Event, Samples
from app.platform.lines import LINE_MAX_CHARS, parse
from app.store.bounds import EVENT_NAMES_MAX, EVENT_TEXT_MAX_CHARS, NAME_MAX_CHARS, SAMPLES_MAX
from servers.messages import router_message
from tests.support.platform_lines import LINES
from tests.support.platform_lines.forms import AT_MS, AT_S, PlatformLine
from tests.support.platform_lines.samples import DYNO

any_text = st.text(st.characters(exclude_categories=()), max_size=200)
words = st.sampled_from(
    [*sorted({word for line in LINES for word in line.msg.split()}), "", "by user", "\n", "v" * 300, "a@b"]
)
headers = st.sampled_from(
    [*sorted({(line.app_name, line.procid) for line in LINES}), ("heroku", "api"), ("heroku", "web.2")]
)


@pytest.mark.parametrize("line", LINES, ids=[line.name for line in LINES])
def test_a_sentence_tells_its_fact(line: PlatformLine) -> None:
    assert parse(line.message()) == line.fact


@pytest.mark.parametrize("line", LINES, ids=[line.name for line in LINES])
def test_a_sentence_tells_its_fact_with_a_newline_and_on_another_app(line: PlatformLine) -> None:
    message = line.message(app="shop", hostname="d.8601b555-6a83-4c12-8269-97c8e32cdb22")
    message["msg"] += "\r\n"
    assert parse(message) == line.fact


def check_bounded(message: RouterMessage) -> None:
    fact = parse(message)
    if isinstance(fact, Event):
        assert fact.text.isprintable()
        assert len(fact.text) <= EVENT_TEXT_MAX_CHARS + len("********")
        assert len(fact.names) <= EVENT_NAMES_MAX
        assert all(len(name) <= NAME_MAX_CHARS + len("********") for name in fact.names)
        assert len(fact.user) <= 300
        assert 0 <= fact.version < 10**9
        for text in (fact.text, fact.user, fact.commit, fact.state, fact.code, *fact.names):
            text.encode()
    elif isinstance(fact, Samples):
        assert 0 < len(fact.values) <= SAMPLES_MAX
        assert len(fact.values) == len({sample.name for sample in fact.values})
        assert all(abs(sample.value) < 1e38 for sample in fact.values)
        assert all(len(sample.name) <= NAME_MAX_CHARS for sample in fact.values)
        for text in (fact.source, fact.addon, fact.origin):
            text.encode()


@given(headers, st.lists(words, max_size=12).map(" ".join))
def test_no_sentence_raises_or_is_unbounded(header: tuple[str, str], msg: str) -> None:
    check_bounded(router_message(msg, AT_S, app_name=header[0], procid=header[1]))


@given(headers, any_text)
def test_no_text_raises_or_is_unbounded(header: tuple[str, str], msg: str) -> None:
    check_bounded(router_message(msg, AT_S, app_name=header[0], procid=header[1]))


@given(st.none() | st.integers() | any_text, st.none() | st.integers() | any_text, any_text)
def test_no_header_raises(app_name: Any, procid: Any, timestamp: str) -> None:
    check_bounded(router_message("Error R14", AT_S, app_name=app_name, procid=procid, timestamp=timestamp))


def test_a_message_without_a_header_tells_nothing() -> None:
    message = decode(
        b'{"msg": "Release v1 created", "timestamp": "", "id": "f.0", "app": "", "received_at": 1}'
    )
    assert parse(message) is None


@pytest.mark.parametrize("timestamp", ["", "yesterday", "0001-01-01T00:00:00+00:00", "9999-01-01T00:00:00Z"])
def test_a_time_that_cannot_be_is_that_of_the_receipt(timestamp: str) -> None:
    fact = parse(router_message("Idling", AT_S, procid="web.1", timestamp=timestamp))
    assert isinstance(fact, Event)
    assert fact.at_ms == AT_MS


def test_facts_do_not_depend_on_the_way_through_the_topic() -> None:
    for line in LINES:
        assert parse(decode(encode(line.message()))) == line.fact


HOSTILE = {
    "samples without a value": "sample#" * 130_000,
    "samples": "".join(f"sample#a{number}=1 " for number in range(60_000)),
    "a long name of a sample": "sample#" + "a" * 900_000,
    "a long number": "sample#a=" + "1" * 900_000,
    "exponents": "sample#a=1e" * 80_000,
    "sources": "source=" * 130_000,
    "releases": "Release v" * 100_000,
    "a long version": "Release v" + "1" * 900_000 + " created",
    "names": "Set " + "A, " * 300_000 + "config vars",
    "users": "Deploy" + " by user" * 110_000,
    "processes": "Scaled to " + "web@1 " * 150_000,
    "references": "Attach A " + "@ref:x " * 130_000,
    "brackets": "Error R14 " + "(" * 900_000,
    "a long state": "State changed from " + "a" * 900_000,
    "a long exit": "Process exited with status " + "1" * 900_000,
    "a lot of memory": "Process running mem=" + "9" * 900_000,
    "logins": "Add " + "//a:b@" * 150_000,
    "newlines": "\n" * 900_000,
    "spaces": " " * 900_000,
}


@pytest.mark.parametrize("header", [("app", "api"), ("heroku", "web.1"), ("app", "heroku-postgres")])
@pytest.mark.parametrize("msg", HOSTILE.values(), ids=HOSTILE)
def test_hostile_lines_of_900_kb_are_bounded_and_quick(msg: str, header: tuple[str, str]) -> None:
    message = router_message(msg, AT_S, app_name=header[0], procid=header[1])
    started_s = time.process_time()
    check_bounded(message)
    # A few ms; what grows with the square of the length would take hours.
    assert time.process_time() - started_s < 1


def test_what_follows_a_very_long_line_is_not_read() -> None:
    line = f"source=web.1 {DYNO} sample#a=1 ".ljust(LINE_MAX_CHARS) + " sample#b=2"
    fact = parse(router_message(line, AT_S, procid="web.1"))
    assert isinstance(fact, Samples)
    assert [sample.name for sample in fact.values] == ["a"]


def test_the_values_of_a_line_are_bounded() -> None:
    many = " ".join(f"sample#a{number}=1" for number in range(SAMPLES_MAX + 5))
    fact = parse(router_message(f"source=REDIS {many}", AT_S, app_name="app", procid="heroku-redis"))
    assert isinstance(fact, Samples)
    assert [sample.name for sample in fact.values] == [f"a{number}" for number in range(SAMPLES_MAX)]


def test_config_vars_beyond_the_bound_are_counted() -> None:
    names = [f"NAME_{number}" for number in range(EVENT_NAMES_MAX + 3)]
    fact = parse(
        router_message(f"Set {', '.join(names)} config vars by user", AT_S, app_name="app", procid="api")
    )
    assert isinstance(fact, Event)
    assert fact.names == tuple(names[:EVENT_NAMES_MAX])


def test_no_secret_of_a_url_or_value_is_kept() -> None:
    for msg in (
        "Set DATABASE_URL=postgres://u:hunter2@h/d config vars by user",
        "Add drain https://user:hunter2@logs.example.com/ by user",
        "Starting process with command `psql postgres://u:hunter2@h/d` by user",
    ):
        assert "hunter2" not in repr(parse(router_message(msg, AT_S, app_name="app", procid="api")))
    command = "Starting process with command `psql postgres://u:hunter2@h/d`"
    assert "hunter2" not in repr(parse(router_message(command, AT_S, procid="run.1")))


@pytest.mark.parametrize(
    ("dyno", "process"),
    [
        ("web.1", "web"),
        ("normal_worker.12", "normal_worker"),
        ("my-worker.1", "my-worker"),
        ("run.7699", "run"),
        ("web-7d9c5b8f6-x2x9k", "web"),
        ("my-worker-7d9c5b8f6-x2x9k", "my-worker"),
        ("router", ""),
        ("api", ""),
        ("heroku-postgres", ""),
        ("slug-compiler", ""),
        ("web.", ""),
        (".1", ""),
        ("", ""),
        ("w" * 900_000 + ".1", ""),
    ],
)
def test_the_process_type_of_a_dyno(dyno: str, process: str) -> None:
    assert process_type(dyno) == process
