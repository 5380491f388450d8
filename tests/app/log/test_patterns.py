"""What is told of a pattern by its source."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.log.patterns import is_bounded, is_never_escaped, literal_of


@given(st.binary(max_size=30))
def test_an_escaped_text_is_a_literal(text: bytes) -> None:
    assert literal_of(re.compile(re.escape(text))) == text


@pytest.mark.parametrize(
    "source", [rb"5\d\d", rb"a.c", rb"(a)", rb"a|b", rb"[a]", rb"a+", rb"\bfoo", rb"a\Z", rb"\x41"]
)
def test_what_is_more_than_a_text_is_no_literal(source: bytes) -> None:
    assert literal_of(re.compile(source)) is None


def test_a_text_that_ignores_case_is_no_literal() -> None:
    assert literal_of(re.compile(b"foo", re.IGNORECASE)) is None


@pytest.mark.parametrize(
    "source",
    [b"foo", rb"5\d\d", rb"(?:a|b)c", rb"[^a]", rb"a?", rb"a{2,5}", rb"\*\+\^\$", rb"\bfoo", rb"[0-9]"],
)
def test_a_pattern_of_a_few_bytes_is_bounded(source: bytes) -> None:
    assert is_bounded(re.compile(source))


@pytest.mark.parametrize(
    "source",
    [
        b"a*",
        rb"a+",
        rb".*b",
        rb"a{2,}",
        rb"^a",
        rb"a$",
        rb"\Aa",
        rb"a\Z",
        rb"(?=a)",
        rb"(?<!a)b",
        rb"\\*",
        rb"(?P<x>a)",
    ],
)
def test_a_pattern_that_may_look_further_is_not(source: bytes) -> None:
    assert not is_bounded(re.compile(source))


@pytest.mark.parametrize(
    "source",
    [
        b"status=500",
        rb"status=5\d\d",
        rb"dyno=web\.3 ",
        rb"(?:code=H12|code=H13)",
        re.escape(b"8601b555-6a83-4c12"),
    ],
)
def test_letters_and_digits_are_never_escaped(source: bytes) -> None:
    assert is_never_escaped(re.compile(source))


@pytest.mark.parametrize(
    "source",
    [b"/cart", "é".encode(), b"a.b", rb"\Da", rb"[^a]", rb'\\"', b'"', b"<", rb"\+", b'="', b"(?i:a)"],
)
def test_what_some_encoder_escapes_is_not(source: bytes) -> None:
    assert not is_never_escaped(re.compile(source))
