"""What is shown of an answer."""

from __future__ import annotations

import html
from urllib.parse import quote

import pytest

from app.alerts.targets.answers import SHOWN_MAX_CHARS, shown

SECRETS = ("https://h.example.com/services/T0ABC/k3yk3yk3y?sig=s1gs1g-x_9z", "p/a:s@s%w?rd#longer", "")


@pytest.mark.parametrize(
    "echo",
    [
        "Cannot POST /services/T0ABC/k3yk3yk3y?sig=s1gs1g-x_9z",
        quote(SECRETS[0], safe=""),
        html.escape(SECRETS[0]),
        SECRETS[0].upper(),
        "x" * 110 + "k3yk3yk3y",
        "wordk3yk3yk3yword",
        SECRETS[1],
        quote(SECRETS[1], safe=""),
    ],
)
def test_a_secret_is_not_shown_however_it_is_repeated(echo: str) -> None:
    said = shown(f"no: {echo} !", SECRETS).lower()
    for piece in ("k3y", "s1gs1g", "t0abc", "longer"):
        assert piece not in said
    assert said.startswith('"no: ')


def test_the_services_own_words_are_shown() -> None:
    for words in ("invalid_payload", "no_service", "channel_is_archived", "Event object is invalid"):
        assert shown(words, SECRETS) == f'"{words}"'


def test_what_is_shown_is_short_and_on_one_line() -> None:
    assert shown(" \r\n\t ", ()) == ""
    assert shown("a\r\n  b", ()) == '"a b"'
    assert len(shown("word " * 1_000, ())) == SHOWN_MAX_CHARS + 3
    assert shown('say "x" \x1b\u202e', ()).isprintable()
