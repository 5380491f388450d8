"""What the values of targets must look like."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.alerts.targets import values

MARK = "topsecretx"


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T0/B0/X",
        "https://default0.1e.environment.api.powerplatform.com:443/x/triggers/manual?api-version=1&sig=a-b_c%2F",
        "https://[2001:db8::1]:8443/hook",
        "http://127.0.0.1:9000/hook",
        "http://127.8.9.1/",
        "http://localhost:9000",
        "http://[::1]:9000/hook",
    ],
)
def test_urls_that_messages_may_go_to(url: str) -> None:
    assert values.web_url(url) == url


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("", "must be a URL"),
        ("banana", "must be a URL"),
        ("https://", "must be a URL"),
        ("https:///x", "must be a URL"),
        ("ftp://h/x", "begins with https://"),
        ("file:///etc/passwd", "must be a URL"),
        ("http://h/x", "unencrypted"),
        ("http://localhost.example.com/", "unencrypted"),
        ("http://127.0.0.1.example.com/", "unencrypted"),
        ("http://10.0.0.1/", "unencrypted"),
        ("http://0.0.0.0/", "unencrypted"),
        ("https://u:p@h/", "user or password"),
        ("https://good.example.com@evil.example.com/", "user or password"),
        ("https://good.example.com\\@evil.example.com/", "must be a URL"),
        ("https://h/x#y", "fragment"),
        ("https://h:99999/", "valid host"),
        ("https://h:0/", "valid host"),
        ("https://h_._.-x..y/", "valid host"),
        ("https://h/\r\nX: y", "must be a URL"),
        ("https://h/a b", "must be a URL"),
        ("https://b\u00fccher.example.com/", "must be a URL"),
        ("https://[::1/", "must be a URL"),
        ("https://h/" + "x" * 2_000, "at most 2,000"),
    ],
)
def test_urls_that_none_may_go_to(url: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        values.web_url(url)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtps://u:p@h", ("smtps", "h", 465, "u", "p")),
        ("smtps://u:p@h:2465/", ("smtps", "h", 2465, "u", "p")),
        ("smtp+starttls://u%40x:p%2F%3A%25@h", ("smtp+starttls", "h", 587, "u@x", "p/:%")),
        ("smtp://h", ("smtp", "h", 25, "", "")),
        ("smtp://u:p@127.0.0.1:1025", ("smtp", "127.0.0.1", 1025, "u", "p")),
        ("smtp://u:p@[::1]", ("smtp", "::1", 25, "u", "p")),
    ],
)
def test_mail_servers(url: str, server: tuple[object, ...]) -> None:
    assert tuple(values.mail_server(values.mail_url(url))) == server


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("smtp://u:p@mail.example.com", "must begin with smtps:// or smtp"),
        ("https://h", "must begin with smtps://"),
        ("smtps://u:p/x@h", "valid host|must be a URL"),
        ("smtps://u:p@x@h", "%40"),
        ("smtps://u:p?x@h", "valid host|must be a URL|%3F"),
        ("smtps://u:p#x@h", "fragment"),
        ("smtps://u@h", "both a user and a password"),
        ("smtps://:p@h", "both a user and a password"),
        ("smtps://u:p@h/path", "must be a URL"),
        ("smtps://u:p@h?x=y", "must be a URL"),
        ("smtps://u:p%0d%0aRSET@h", "printable ASCII"),
        ("smtps://u:p%C3%BC@h", "printable ASCII"),
        ("smtps://u:p@", "must be a URL|valid host"),
        ("smtps://", "must be a URL"),
    ],
)
def test_what_is_no_mail_server(url: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        values.mail_url(url)


@pytest.mark.parametrize(
    "address", ["a@b", "ops+alerts@mail.example.com", "o'neil@example.com", "x_y-z@e-x.org"]
)
def test_addresses(address: str) -> None:
    assert values.mail_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ops",
        "@example.com",
        "ops@",
        "Ops <ops@example.com>",
        '"a b"@example.com',
        "a@b@c",
        "a@b\r\nBcc: c@d",
        "a@b>",
        "a..b@example.com",
        "a@-b.com",
        "a@b..c",
        "a@b,c@d",
        "\u00fc@example.com",
        "a@b\u00fccher.de",
        "a" * 250 + "@b.com",
    ],
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="must be an e-mail address"):
        values.mail_address(address)


def test_recipients_are_each_named_once_and_twenty_at_most() -> None:
    assert values.mail_addresses(" a@b, c@d,,a@b ") == ("a@b", "c@d")
    assert len(values.mail_addresses(",".join(f"a{n}@b" for n in range(20)))) == 20
    for text in ("", " , ", ",".join(f"a{n}@b" for n in range(21))):
        with pytest.raises(ValueError, match="1 to 20 e-mail addresses"):
            values.mail_addresses(text)


def test_keys() -> None:
    assert values.webhook_secret("s" * 16)
    assert values.pagerduty_key("aB3" * 10 + "xy")
    for secret in ("s" * 15, "s" * 20 + "\n", "\u00fc" * 20):
        with pytest.raises(ValueError, match="openssl rand"):
            values.webhook_secret(secret)
    for key in ("", "a" * 31, "a" * 33, "a" * 31 + "-", "\u0661" * 32):
        with pytest.raises(ValueError, match="32 letters and digits"):
            values.pagerduty_key(key)


@pytest.mark.parametrize(
    "read",
    [values.web_url, values.mail_url, values.mail_address, values.mail_addresses, values.pagerduty_key],
)
def test_no_fault_repeats_what_was_given(read: Callable[[str], object]) -> None:
    for text in (
        MARK,
        f"https://u:{MARK}@h",
        f"http://h/{MARK}",
        f"smtp://u:{MARK}@h",
        f"smtps://u:{MARK}/x@h",
        f"https://{MARK}:99999",
        f"https://[{MARK}",
        f"{MARK}@b@c",
    ):
        with pytest.raises(ValueError) as raised:
            read(text)
        assert MARK not in str(raised.value)
