"""Random or a word: each bound from both sides."""

from __future__ import annotations

import pytest

from app.routes import template
from app.words import is_random


@pytest.mark.parametrize(
    "text",
    [
        "xKqZvWpR",  # no digit, 8 letters
        "a1b2c3",  # 6 characters
        "k7xq2w",
        "xxxxxx12xx",
        "Vq3rx8Zt",
        "xkqzvw123",
        "abcd1xyzQ2",
        "wordsA1bC2",  # half of it can be read
        "reading1aB2cD",
        "xkzvq123",  # 8 characters of which none can be read
        "zqxvbnmkQ",
        "xkcdzqA1",
        "xKqzvwprt",  # one change, and unreadable
        "wordsA1bC",  # four changes
    ],
)
def test_what_changes_often_and_cannot_be_read_is_random(text: str) -> None:
    assert is_random(text)


@pytest.mark.parametrize(
    "text",
    [
        "xKqZvWp",  # 7 letters
        "xkqzvwpr",  # small letters
        "XKQZVWPR",
        "Xkqzvwprt",
        "a1b2c",  # 5 characters
        "123456",
        "reading1a2",  # more than half of it can be read
        "getUserByIdNow",
        "XMLHttpRequest",
        "json2csv",
        "xkqzvw12",  # a word, for all one knows, and a small number
        "windows123",
        "iPhone15",
        "covid19",
    ],
)
def test_what_can_be_read_or_is_too_short_is_no_id(text: str) -> None:
    assert not is_random(text)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/o/Users(a=1,b='x')", "/o/Users(:id)"),
        ("/o/Users('8601b555-6a83-4c12-8269-97c8e32cdb22')", "/o/Users(:uuid)"),
        ("/o/Users(me)", "/o/Users(me)"),
        ("/o/8601b555-6a83-4c12-8269-97c8e32cdb22,a1b2c3", "/o/:list"),
        ("/o/a,b", "/o/a,b"),
        ("/x/1234/abc/xhr", "/x/:server/:session/xhr"),
        ("/x/12345/abc/xhr", "/x/:id/abc/xhr"),
        ("/t/7:a:b", "/t/:token"),
    ],
)
def test_parts_of_a_segment(path: str, route: str) -> None:
    assert template(path) == route
