"""No path of a log line leaves the target, and none is changed on its way."""

from __future__ import annotations

import pytest

from app.errors import TailraceError
from consumers.replay.choice.target import PATH_MAX_BYTES, RefusedPath, Target, request_target
from consumers.replay.sending.connection import Connection
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


def test_a_base_path_comes_before_each_path_byte_for_byte() -> None:
    with RecordingTarget() as server:
        for base in ("/base", "/base/", "/v1/a%20b"):
            target = Target.parse(server.url + base)
            connection = Connection(target, 5.0)
            for path in SENT_AS_THEY_ARE:
                wire = request_target(path, target.path)
                assert connection.exchange("GET", wire, [("Host", "target.test")]).status == 200, path
            connection.close()
        encoded = [path.encode("utf-8", "surrogateescape") for path in SENT_AS_THEY_ARE]
        bases = (b"/base", b"/base", b"/v1/a%20b")
        assert server.targets() == [base + path for base in bases for path in encoded]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://a", ""),
        ("http://a/", ""),
        ("http://a//", ""),
        ("http://a/base", "/base"),
        ("http://a/base/", "/base"),
        ("http://a/base//", "/base"),
        ("http://a/Base/v1.2;x=1,y/~me/caf%C3%A9", "/Base/v1.2;x=1,y/~me/caf%C3%A9"),
        ("http://a/...", "/..."),
        ("http://a/@me:1", "/@me:1"),
    ],
)
def test_a_base_path_has_no_slash_at_its_end(url: str, path: str) -> None:
    assert Target.parse(url).path == path
    assert Target.parse(url).url == "http://a" + path


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/..", "segments . or .."),
        ("/a/../b", "segments . or .."),
        ("/a/.", "segments . or .."),
        ("/%2e%2E/b", "segments . or .."),
        ("/.%2e", "segments . or .."),
        ("//a", "percent-encoded"),
        ("/a//b", "percent-encoded"),
        ("/a%2Fb", "percent-encoded"),
        ("/a%5cb", "percent-encoded"),
        ("/a\\b", "percent-encoded"),
        ("/a%zz", "percent-encoded"),
        ("/a%", "percent-encoded"),
        ("/caf\u00e9", "percent-encoded"),
        ("/a b", "spaces and control characters"),
        ("/a\nb", "spaces and control characters"),
        ("/a\tb", "spaces and control characters"),
        ("/a\r\nHost: evil", "spaces and control characters"),
        ("/a?", "neither a query nor a fragment"),
        ("/a?b=1", "neither a query nor a fragment"),
        ("/a#b", "neither a query nor a fragment"),
    ],
)
def test_a_base_path_that_a_server_may_read_as_another_is_refused(path: str, said: str) -> None:
    with pytest.raises(TailraceError) as caught:
        Target.parse("http://a" + path)
    assert said in str(caught.value)


def test_a_path_is_not_too_long_for_its_base_path() -> None:
    longest = "/" + "a" * (PATH_MAX_BYTES - 1)
    assert request_target(longest, "/base") == b"/base" + longest.encode()


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example",
        "https://a.example:8443",
        "http://[::1]",
        "http://[::1]:81",
        "https://a.example/base",
    ],
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
