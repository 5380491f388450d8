"""No path of a log line leaves the target, and none is changed on its way."""

from __future__ import annotations

import pytest

from app.errors import TailraceError
from consumers.replay.connection import Connection
from consumers.replay.target import PATH_MAX_BYTES, RefusedPath, Target, request_target
from tests.support.target import RecordingTarget

SENT_AS_THEY_ARE = [
    "/",
    "//",
    "//evil.com/",
    "//evil.com:80/path",
    "//user@evil.com/",
    "///evil.com",
    "////evil.com/%2e%2e",
    "/\\evil.com",
    "/\\\\evil.com\\share",
    "/\\/evil.com",
    "/@evil.com/",
    "/user:pass@evil.com/",
    "/..",
    "/../",
    "/../../etc/passwd",
    "/./a/../b",
    "/a/../../evil",
    "/..;/admin",
    "/;@evil.com/",
    "/%2e%2e/",
    "/%2E%2e/%2f",
    "/%2f%2fevil.com",
    "/%5c%5cevil.com",
    "/%40evil.com",
    "/%00",
    "/%0d%0aHost:%20evil.com",
    "/%0D%0A%0D%0AGET%20/evil",
    "/http://evil.com/",
    "/https:/evil.com",
    "/https:evil.com",
    "/?url=http://evil.com",
    "/?@evil.com",
    "/?#@evil.com/",
    "/#fragment",
    "/a#b?c#d",
    "/a?b?c?d",
    "/a?",
    "/a?&&==",
    "/a?b=&c",
    "/a;b=1;c",
    "/a?x=1;y=2",
    "/a+b?c+d",
    "/a%20b",
    "/a%2bb",
    "/~user",
    "/a'b\"c",
    "/<script>alert(1)</script>",
    "/{}|^`",
    "/[::1]/",
    "/a:80",
    "/:80/",
    "/.evil.com",
    "/\u2024\u2024/",
    "/\uff0e\uff0e/",
    "/\uff0f\uff0fevil.com",
    "/caf\u00e9?q=\u00fc",
    "/caf\udcc3\udca9",
    "/\udcff\udcfe",
    "/\u202eevil",
    "/" + "a" * 8_000,
    "/*",
    "/%",
    "/%zz",
    "/a//b//",
]
REFUSED = [
    "",
    "*",
    "@evil.com/",
    "evil.com/",
    ".evil.com/",
    ":80/",
    ":80@evil.com/",
    "\\evil",
    "\\\\evil.com",
    "http://evil.com/",
    "https://evil.com",
    "HTTP:/evil.com",
    "javascript:alert(1)",
    "?a=1",
    "#a",
    ";/a",
    " /a",
    "/a b",
    "/a HTTP/1.1",
    "/a\r\nHost: evil.com",
    "/a\nHost: evil.com",
    "/a\rb",
    "/\r\n\r\nGET /evil HTTP/1.1",
    "/a\tb",
    "/a\x00b",
    "/a\x0bb",
    "/\x7f",
    "/\x1b[31m",
    "/" + "a" * 70_000,
]


def test_there_are_enough_hostile_paths() -> None:
    assert len(set(SENT_AS_THEY_ARE) | set(REFUSED)) >= 60


def test_hostile_paths_arrive_at_the_target_byte_for_byte() -> None:
    with RecordingTarget() as target:
        connection = Connection(Target.parse(target.url), 5.0)
        for path in SENT_AS_THEY_ARE:
            outcome = connection.exchange("GET", request_target(path), [("Host", "target.test")])
            assert (outcome.kind, outcome.status) == ("answered", 200), path
        connection.close()
        assert target.targets() == [path.encode("utf-8", "surrogateescape") for path in SENT_AS_THEY_ARE]
        assert {seen.headers["host"] for seen in target.seen} == {"target.test"}
        assert target.connections == 1


@pytest.mark.parametrize("path", REFUSED)
def test_what_is_no_path_is_refused_with_a_reason(path: str) -> None:
    with pytest.raises(RefusedPath, match=r"start with|longer|control"):
        request_target(path)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "does not start with /"),
        ("a/b", "does not start with /"),
        ("/" + "a" * PATH_MAX_BYTES, "is longer than 65536 bytes"),
        ("/" + "\u00e4" * (PATH_MAX_BYTES // 2), "is longer than 65536 bytes"),
        ("/\ud800", "contains half of a surrogate pair"),
        *((f"/a{chr(byte)}b", "contains a space or a control character") for byte in (0, 10, 31, 32, 127)),
    ],
)
def test_a_refusal_says_what_is_wrong_with_the_path(path: str, reason: str) -> None:
    with pytest.raises(RefusedPath) as caught:
        request_target(path)
    assert str(caught.value) == reason


@pytest.mark.parametrize("path", ["/" + "a" * (PATH_MAX_BYTES - 1), "/!", "/~", "/\x80", "/\udcff"])
def test_a_path_at_the_bounds_is_sent(path: str) -> None:
    assert request_target(path) == path.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    "url", ["http://a.example", "https://a.example:8443", "http://[::1]", "http://[::1]:81"]
)
def test_a_target_is_shown_as_its_base_url(url: str) -> None:
    assert Target.parse(url).url == url


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "header"),
    [
        ("http://a.example", "http", "a.example", 80, "a.example"),
        ("https://a.example/", "https", "a.example", 443, "a.example"),
        ("https://a.example:8443", "https", "a.example", 8443, "a.example:8443"),
        ("https://a.example.", "https", "a.example.", 443, "a.example."),
        ("http://[::1]:80", "http", "::1", 80, "[::1]"),
    ],
)
def test_a_target_is_scheme_host_and_port(url: str, scheme: str, host: str, port: int, header: str) -> None:
    target = Target.parse(url)
    assert (target.scheme, target.host, target.port, target.host_header) == (scheme, host, port, header)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "staging",
        "ftp://a",
        "http://",
        "http://a/path",
        "http://u:secret@a",
        "http://a:99999",
        "http://[::1",
        "http://staging..example.com",
        "http://.example.com",
        f"http://{'a' * 64}.example.com",
        f"http://{'a.' * 127}aa",
    ],
)
def test_what_is_no_base_url_is_refused_without_showing_a_password(url: str) -> None:
    with pytest.raises(TailraceError) as caught:
        Target.parse(url)
    assert str(caught.value).startswith("the target ")
    assert "secret" not in str(caught.value)
