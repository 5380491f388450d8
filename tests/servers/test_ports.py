"""Ports that several test processes choose at the same time."""

from __future__ import annotations

import socket

import pytest

from servers.ports import FIRST, LAST, free_port


def test_it_is_none_that_the_system_gives_to_who_asks_for_any() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        given = int(server.getsockname()[1])
    assert FIRST <= free_port() <= LAST < given


def test_a_port_that_is_bound_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as keeper:
        keeper.bind(("127.0.0.1", taken := free_port()))
        free = free_port()
        picks = iter([taken - FIRST, free - FIRST])
        monkeypatch.setattr("servers.ports.secrets.randbelow", lambda _: next(picks))
        assert free_port() == free


def test_where_none_can_be_bound_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as keeper:
        keeper.bind(("127.0.0.1", taken := free_port()))
        monkeypatch.setattr("servers.ports.secrets.randbelow", lambda _: taken - FIRST)
        with pytest.raises(OSError, match="in use"):
            free_port()
