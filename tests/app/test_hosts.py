"""Spellings of one host are one host; what is no host stays as it is."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hosts import HOST_MAX_CHARS, comparable, without_port

LABELS = ".".join(["a" * 49] * 5)


@pytest.mark.parametrize(
    ("host", "compared", "name"),
    [
        ("shop.example.com", "shop.example.com", "shop.example.com"),
        ("SHOP.Example.COM", "shop.example.com", "shop.example.com"),
        ("shop.example.com:443", "shop.example.com", "shop.example.com"),
        ("shop.example.com:80", "shop.example.com", "shop.example.com"),
        ("shop.example.com:", "shop.example.com", "shop.example.com"),
        ("shop.example.com:8443", "shop.example.com:8443", "shop.example.com"),
        ("Shop.example.com.:8443", "shop.example.com:8443", "shop.example.com"),
        ("shop.example.com:0443", "shop.example.com:0443", "shop.example.com"),
        ("shop.example.com.", "shop.example.com", "shop.example.com"),
        ("shop.example.com.:443", "shop.example.com", "shop.example.com"),
        ("localhost", "localhost", "localhost"),
        ("my_app-2.example", "my_app-2.example", "my_app-2.example"),
        ("192.0.2.7:80", "192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:5000", "192.0.2.7:5000", "192.0.2.7"),
        ("[2001:db8::7]", "[2001:db8::7]", "2001:db8::7"),
        ("[2001:DB8:0:0::7]:443", "[2001:db8::7]", "2001:db8::7"),
        ("[2001:DB8::7]:8443", "[2001:db8::7]:8443", "2001:db8::7"),
        ("[::ffff:192.0.2.7]:80", "[::ffff:c000:207]", "::ffff:c000:207"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example:443", "xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("bücher.example", "bücher.example", "bücher.example"),
        ("", "", ""),
        # No hosts:
        ("Shop.example.com..", "Shop.example.com..", "shop.example.com"),
        ("Shop example.com", "Shop example.com", "shop example.com"),
        (".Shop.example", ".Shop.example", ".shop.example"),
        ("Shop.example.com:http", "Shop.example.com:http", "shop.example.com"),
        ("[2001:db8::G]", "[2001:db8::G]", "2001:db8::g"),
        ("[1:2:3]", "[1:2:3]", "1:2:3"),
        ("2001:DB8::7", "2001:DB8::7", "2001:db8::7"),
        ("A:1:B", "A:1:B", "a:1:b"),
        ("\udcff", "\udcff", "\udcff"),
        (f"{LABELS}:443", LABELS, LABELS),
        (f"{LABELS}.{LABELS}:443", f"{LABELS}.{LABELS}:443", f"{LABELS}.{LABELS}"),
    ],
)
def test_a_host_is_compared_by_its_plainest_spelling(host: str, compared: str, name: str) -> None:
    assert comparable(host) == compared
    assert without_port(host) == name


@given(st.text("aA1-_.:[]/é ", max_size=20))
def test_the_plainest_spelling_is_its_own(host: str) -> None:
    found = comparable(host)
    assert comparable(found) == found
    assert len(found) <= max(len(host), HOST_MAX_CHARS)


@pytest.mark.parametrize("text", ["a" * 1_000_000, "a." * 500_000, "[" + ":" * 1_000_000, "a:" * 500_000])
def test_no_megabyte_takes_long(text: str) -> None:
    began = time.process_time()
    assert comparable(text) == text
    without_port(text)
    assert time.process_time() - began < 1
