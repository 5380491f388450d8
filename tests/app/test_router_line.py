"""Router lines by example."""

from __future__ import annotations

import time

import pytest

from app.router_line import (
    H_CODES,
    RouterLine,
    fields,
    milliseconds,
    parse,
    parse_any_order,
    path_only,
    timestamp_ms,
)
from app.store.bounds import DOCUMENTED_CODES
from tests.app.router_lines import H12, INFO


def parsed(line: str) -> RouterLine:
    found = parse(line)
    assert found is not None
    assert found == parse_any_order(line)
    return found


def test_a_usual_line_gives_its_pairs_as_sent() -> None:
    assert parsed(INFO) == RouterLine(
        sock="",
        at="info",
        code="",
        method="GET",
        path="/users/1?q=a",
        host="shop.example.com",
        request_id="8601b555-6a83-4c12-8269-97c8e32cdb22",
        fwd="204.204.204.204",
        dyno="web.1",
        connect="1ms",
        service="18ms",
        status="200",
        bytes="13",
        protocol="https",
        tls="true",
        cause="",
        agent="",
    )


def test_a_failed_request_has_its_code() -> None:
    line = parsed(H12)
    assert (line.at, line.code, line.method, line.path) == ("error", "H12", "POST", "/slow")
    assert (line.connect, line.service, line.status, line.bytes) == ("1.5ms", "30000ms", "503", "0")
    assert line.fwd == "204.204.204.204,2001:db8::1"


@pytest.mark.parametrize("code", H_CODES)
def test_every_code_is_read_whether_it_comes_with_info_warning_or_error(code: str) -> None:
    for at in ("info", "warning", "error"):
        line = parsed(H12.replace("at=error", f"at={at}").replace("H12", code))
        assert (line.at, line.code, line.path) == (at, code, "/slow")


def test_empty_values_are_empty_strings() -> None:
    line = parsed(
        'at=error code=H14 desc="No web processes running" method=GET path="/" host=a.example '
        'request_id=1 fwd="1.2.3.4" dyno= connect= service= status=503 bytes= protocol=http\n'
    )
    assert (line.dyno, line.connect, line.service, line.status, line.bytes) == ("", "", "", "503", "")


def test_a_line_of_2014_without_quotes_and_with_queue_times_is_read() -> None:
    line = parsed(
        "at=info method=GET path=/ host=a.example request_id=75 fwd=17.17.17.17 dyno=web.1 "
        "queue=0 wait=0ms connect=1ms service=364ms status=200 bytes=20946"
    )
    assert (line.path, line.fwd, line.service, line.bytes) == ("/", "17.17.17.17", "364ms", "20946")


def test_the_socket_may_come_first() -> None:
    line = parsed(
        'sock=backend at=error code=H18 desc="Server Request Interrupted" method=GET path="/" status=503'
    )
    assert (line.at, line.code, line.status) == ("error", "H18", "503")


@pytest.mark.parametrize("order", ["forward", "backward"])
def test_the_order_of_keys_does_not_matter(order: str) -> None:
    pairs = fields(H12)
    keys = list(pairs) if order == "forward" else list(reversed(pairs))
    assert parsed(" ".join(f'{key}="{pairs[key]}"' for key in keys)) == parsed(H12)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ('"/a b"', "/a b"),
        ('"/a=b status=500"', "/a=b status=500"),
        (r'"/say-\"hi\""', '/say-"hi"'),
        (r'"C:\\dir\\"', "C:\\dir\\"),
        (r'"\\\" code=H10"', r"\" code=H10"),
        (r'"\n\u0041"', r"\n\u0041"),
        ('""', ""),
        ("", ""),
        ('a"b"', 'a"b"'),
        ("a=b", "a=b"),
        ('"/日本?ü=é"', "/日本?ü=é"),
        ('"/\udcff\udcfe"', "/\udcff\udcfe"),
        ('"/a\nb"', "/a\nb"),
        ('"/a"b', "/a"),
    ],
)
def test_a_value_comes_out_of_its_quotes_and_escapes(raw: str, value: str) -> None:
    line = parsed(INFO.replace('"/users/1?q=a"', raw))
    assert (line.path, line.host, line.status) == (value, "shop.example.com", "200")


def test_a_value_cut_off_in_its_quotes_is_empty_and_nothing_is_read_from_inside() -> None:
    line = parsed('at=info method=GET path="/a?b=1 status=500 host=evil')
    assert (line.method, line.path, line.status, line.host) == ("GET", "", "", "")
    assert parsed('at=info path="/ends-in-a-backslash\\').path == ""


def test_the_first_of_two_values_counts() -> None:
    assert parsed(INFO.rstrip() + " path=/other status=500 code=H10").path == "/users/1?q=a"
    assert parsed("status=200 status=500").status == "200"
    assert parsed("status= status=500").status == ""


@pytest.mark.parametrize("end", ["\t", "X", "\x0b", "\u00a0"])
def test_of_the_end_only_the_line_break_is_no_part_of_the_value(end: str) -> None:
    for line_break in ("", "\n", "\r\n"):
        assert fields(f"path=/a{end}{line_break}") == {"path": f"/a{end}"}


def test_a_code_is_found_behind_the_usual_keys_too() -> None:
    assert parsed(INFO.rstrip() + " code=H10\n").code == "H10"


@pytest.mark.parametrize("line", ["", "\n", " ", "hello world", "=", "==", "=a", '"a=b"', '" "'])
def test_a_text_without_a_pair_is_no_router_line(line: str) -> None:
    assert parse(line) is None
    assert fields(line) == {}


def test_fields_gives_every_pair_in_the_line_s_order() -> None:
    assert list(fields(INFO).items())[-4:] == [
        ("bytes", "13"),
        ("protocol", "https"),
        ("tls", "true"),
        ("tls_version", "tls1.3"),
    ]
    assert fields(H12)["desc"] == "Request timeout"


@pytest.mark.parametrize(
    "line",
    [
        'path="' + "\\" * 1_000_000,
        'path="' + '\\"' * 500_000,
        "a" * 1_000_000,
        '"' * 1_000_000,
        'a="b' * 250_000,
        "a=" * 500_000,
        " " * 1_000_000,
        "=" * 1_000_000,
        "at= " * 250_000,
        INFO.rstrip() + "\r\n" * 500_000 + "x",
        "\r\n" * 500_000 + "x",
        'at= method= path="' + " host= request_id=" * 60_000,
    ],
)
def test_no_megabyte_takes_long(line: str) -> None:
    began = time.process_time()
    parse(line)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("raw", "ms"),
    [
        ("18ms", 18.0),
        ("5.25ms", 5.25),
        ("0ms", 0.0),
        ("30001ms", 30001.0),
        ("397", 397.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("", None),
        ("18s", None),
        ("1.5s", None),
        ("18 ms", None),
        ("18MS", None),
        ("18msms", None),
        ("-1", None),
        ("1e3", None),
        ("nan", None),
        ("1\n", None),
        (".", None),
        ("ms", None),
        ("-1ms", None),
        ("+1ms", None),
        (" 1ms", None),
        ("1ms\n", None),
        ("1_0ms", None),
        ("1e3ms", None),
        ("nanms", None),
        ("infms", None),
        (".5ms", None),
        ("5.ms", None),
        ("٣ms", None),
        ("\udcffms", None),
        ("9" * 400 + "ms", None),
    ],
)
def test_milliseconds(raw: str, ms: float | None) -> None:
    assert milliseconds(raw) == ms


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/a?b=c?d", "/a"), ("/a", "/a"), ("", ""), ("?q", ""), ("/a%3Fb", "/a%3Fb"), ("//a?", "//a")],
)
def test_path_only_cuts_the_query(path: str, expected: str) -> None:
    assert path_only(path) == expected


@pytest.mark.parametrize(
    ("timestamp", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2016-04-21T21:56:01Z", 1461275761000),
        ("2016-04-21T21:56:01+00:00", 1461275761000),
        ("2016-04-21T21:56:01.1+00:00", 1461275761100),
        ("2016-04-21T21:56:01.12Z", 1461275761120),
        ("2016-04-21T21:56:01.123Z", 1461275761123),
        ("2016-04-21T21:56:01.1234Z", 1461275761123),
        ("2016-04-21T21:56:01.12345Z", 1461275761123),
        ("2016-04-21T21:56:01.123999+00:00", 1461275761123),
        ("2016-04-21T14:56:01.123456-07:00", 1461275761123),
        ("2016-04-22T03:26:01.123456+05:30", 1461275761123),
        ("2016-04-21 21:56:01 +0000", 1461275761000),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2016-04-21T21:56:01", None),
        ("2016-04-21", None),
        ("2016-02-30T00:00:00Z", None),
        ("2016-04-21T25:56:01Z", None),
        ("-", None),
        ("", None),
        ("now", None),
        ("\udcff", None),
    ],
)
def test_timestamp_ms(timestamp: str, ms: int | None) -> None:
    assert timestamp_ms(timestamp) == ms


def test_each_code_that_heroku_documents_has_a_name() -> None:
    numbers = [*range(10, 29), 31, 32, 33, 34, 80, 81, 82, 83, 99]
    assert list(H_CODES) == [f"H{number}" for number in numbers]
    assert frozenset(H_CODES) == DOCUMENTED_CODES
