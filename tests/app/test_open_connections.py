"""Whose time is a lifetime: connections that were open."""

from __future__ import annotations

import pytest

from app.connections import is_switched, open_connection_matcher
from app.router_line import RouterLine, parse
from app.settings import Settings
from servers.messages import router_line


def line(path: str, status: str, code: str = "", at: str = "") -> RouterLine:
    found = parse(router_line(path, status=status, code=code, at=at))
    assert found
    return found


@pytest.mark.parametrize(
    ("status", "code", "is_open"),
    [
        ("200", "", True),
        ("204", "", True),
        ("101", "", True),
        ("", "H24", True),
        ("200", "H18", True),
        ("503", "H15", True),
        ("499", "H28", True),
        ("499", "", True),
        ("200", "H27", True),
        ("302", "", False),
        ("401", "", False),
        ("404", "", False),
        ("500", "", False),
        ("503", "", False),
        ("503", "H10", False),
        ("503", "H12", False),
        ("503", "H18", False),
    ],
)
def test_a_path_of_streams_is_a_connection_unless_it_was_refused(
    status: str, code: str, is_open: bool
) -> None:
    matcher = open_connection_matcher(Settings(stream_rules=("/events", "/rooms/:id/poll")))
    assert matcher(line("/events?last=7", status, code)) is is_open
    assert matcher(line("/rooms/7/poll", status, code)) is is_open


def test_without_streams_only_a_switch_of_protocols_is_a_connection() -> None:
    matcher = open_connection_matcher(Settings())
    for found, is_open in (
        (line("/cable", "101"), True),
        (line("/cable", "101", "H15"), True),
        (line("/cable", "400"), False),
        (line("/cable", "426"), False),
        (line("/cable", "503", "H15"), False),
        (line("/events", "200"), False),
    ):
        assert matcher(found) is is_switched(found) is is_open


def test_other_paths_are_requests() -> None:
    matcher = open_connection_matcher(Settings(stream_rules=("/events",)))
    assert not matcher(line("/events/7", "200"))
    assert not matcher(line("/", "200"))
    assert matcher(line("/cable", "101"))
