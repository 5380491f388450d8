"""The guard against production by address: what it refuses, and that no lookup holds a replay up.

What the system's resolver says of addresses is real; name servers are played.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from typing import Any

import pytest
import redis

from app.errors import SameHost
from consumers.replay.choice import host_addresses
from consumers.replay.choice.host_addresses import (
    HOSTS_MAX,
    LOOKUPS_MAX,
    SHARED_ROUTERS,
    HostAddresses,
    Resolved,
)
from consumers.replay.choice.same_host import HOSTS, refuse_known_hosts
from consumers.replay.choice.target import Target
from servers.processes import wait_until

TARGET = Target.parse("https://staging.example.com/base")


class Names:
    """Name servers; counts what they are asked."""

    def __init__(self, **known: Resolved) -> None:
        self._known = {name.replace("_", "."): found for name, found in known.items()}
        self.asked: Counter[str] = Counter()
        self.hang = threading.Event()
        self.hang.set()

    def look_up(self, host: str) -> Resolved:
        self.asked[host] += 1
        self.hang.wait(20)
        return self._known.get(host, Resolved())


def at(*addresses: str, canonical: str = "") -> Resolved:
    return Resolved(frozenset(addresses), canonical)


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("http://10.20.30.40", "169090600.example.invalid"),
        ("http://10.20.30.41", "10.20.30.40"),
        ("http://[2001:db8::1]", "[2001:db8::2]"),
        ("http://127.0.0.1", "127.0.0.1:80"),
        ("http://localhost:5010", "127.1"),
        ("http://[::ffff:127.0.0.1]", "127.0.0.1"),
        ("http://0.0.0.0:5010", "0.0.0.0"),
        ("http://10.20.30.40", "nowhere.invalid"),
    ],
)
def test_other_addresses_this_machine_and_hosts_that_do_not_exist_are_elsewhere(
    target: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def with_an_answer_at_once(name: str, *args: Any, **kwargs: Any) -> Any:
        """The name servers of whoever runs this may be slow, or say that they do not know for now."""
        if name.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(name, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", with_an_answer_at_once)
    assert HostAddresses().is_elsewhere(host, Target.parse(target))


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("http://10.20.30.40", "10.20.30.40:8080"),
        ("http://10.20.30.40", "[::ffff:10.20.30.40]"),
        ("http://[::ffff:10.20.30.40]", "10.20.30.40"),
        ("http://10.20.30.40", "169090600"),  # The same address as one number.
        ("http://10.20.30.40", "10.20.7720"),
        ("http://[2001:db8::1]", "[2001:DB8:0::1]:443"),
    ],
)
def test_another_spelling_of_the_targets_address_is_refused(target: str, host: str) -> None:
    with pytest.raises(SameHost, match="--keep-host"):
        HostAddresses().is_elsewhere(host, Target.parse(target))


def test_one_address_in_common_is_refused_and_so_is_an_alias_of_the_same_name() -> None:
    names = Names(
        staging_example_com=at("10.0.0.1", "10.0.0.2", canonical="lb.example.net"),
        shared_example_com=at("10.0.0.9", "10.0.0.2"),
        alias_example_com=at("10.0.0.7", canonical="lb.example.net"),
        other_example_com=at("10.0.0.8", canonical="other.example.net"),
    )
    addresses = HostAddresses(names.look_up)
    with pytest.raises(SameHost, match=r"10\.0\.0\.2"):
        addresses.is_elsewhere("shared.example.com", TARGET)
    with pytest.raises(SameHost, match=r"lb\.example\.net"):
        addresses.is_elsewhere("alias.example.com:443", TARGET)
    assert addresses.is_elsewhere("other.example.com", TARGET)


def test_a_host_is_looked_up_once_however_often_it_is_sent() -> None:
    names = Names(staging_example_com=at("10.0.0.1"), shop_example_com=at("10.0.0.2"))
    addresses = HostAddresses(names.look_up)
    for _ in range(1_000):
        for host in ("shop.example.com", "SHOP.example.com:443", "shop.example.com."):
            assert addresses.is_elsewhere(host, TARGET)
    assert names.asked == {"staging.example.com": 1, "shop.example.com": 1}


def test_name_servers_that_do_not_answer_hold_the_replay_up_once_and_nothing_is_sent_unchecked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(host_addresses, "LOOKUP_WAIT_S", 0.2)
    names = Names(staging_example_com=at("10.0.0.1"), late_example_com=at("10.0.0.1"))
    addresses = HostAddresses(names.look_up)
    assert addresses.is_elsewhere("shop.example.com", TARGET)
    names.hang.clear()
    started_s = time.monotonic()
    for _ in range(200):
        assert not addresses.is_elsewhere("late.example.com", TARGET)
    for number in range(10 * LOOKUPS_MAX):
        assert not addresses.is_elsewhere(f"{number}.example.com", TARGET)
    assert time.monotonic() - started_s < 5
    assert sum(names.asked.values()) <= 2 + LOOKUPS_MAX
    assert addresses.is_elsewhere("shop.example.com", TARGET)  # It is known from before.
    names.hang.set()
    wait_until(lambda: is_refused(addresses, "late.example.com"), "the answer")


def is_refused(addresses: HostAddresses, host: str) -> bool:
    try:
        addresses.is_elsewhere(host, TARGET)
    except SameHost:
        return True
    return False


def test_name_servers_that_failed_are_asked_again_later() -> None:
    now_s = [100.0]
    failing = [True]

    def look_up(host: str) -> Resolved:
        if failing[0]:
            raise OSError
        return at(f"10.0.0.{len(host)}")

    addresses = HostAddresses(look_up, clock=lambda: now_s[0])
    assert not addresses.is_elsewhere("shop.example.com", TARGET)
    failing[0] = False
    assert not addresses.is_elsewhere("shop.example.com", TARGET)
    now_s[0] += 60
    assert addresses.is_elsewhere("shop.example.com", TARGET)


def test_the_hosts_that_are_remembered_are_bounded() -> None:
    names = Names(staging_example_com=at("10.0.0.1"))
    addresses = HostAddresses(names.look_up)
    for number in range(HOSTS_MAX + 100):
        assert addresses.is_elsewhere(f"{number}.example.com", TARGET)
    assert len(addresses._entries) <= HOSTS_MAX
    assert len(addresses._elsewhere) <= HOSTS_MAX
    assert names.asked["staging.example.com"] == 1


@pytest.mark.parametrize("domain", SHARED_ROUTERS)
def test_a_target_behind_a_router_that_many_apps_share_is_refused(domain: str) -> None:
    for name in (f"my-staging.{domain}", f"MY.{domain}."):
        with pytest.raises(SameHost, match=r"goes by the Host header.*REPLAY_ALLOW_SAME_HOST"):
            HostAddresses(Names().look_up).refuse_shared_router(Target.parse(f"https://{name}"))
    names = Names(staging_example_com=at("10.0.0.1", canonical=f"abc.{domain}"))
    with pytest.raises(SameHost, match="is an alias of abc"):
        HostAddresses(names.look_up).refuse_shared_router(TARGET)


def test_a_target_of_ones_own_is_not_taken_for_a_shared_router() -> None:
    names = Names(staging_example_com=at("10.0.0.1", canonical="lb.notfly.dev.example.net"))
    HostAddresses(names.look_up).refuse_shared_router(TARGET)
    HostAddresses(names.look_up).refuse_shared_router(Target.parse("http://127.0.0.1:5010"))


def test_hosts_that_were_counted_before_are_compared_by_address_at_the_start(
    redis_client: redis.Redis,
) -> None:
    names = Names(
        staging_example_com=at("10.0.0.1"), shop_example_com=at("10.0.0.2"), old_example_com=at("10.0.0.1")
    )
    for number in range(3 * LOOKUPS_MAX):
        redis_client.hset(HOSTS, f"{number}.example.com", 1)
    redis_client.hset(HOSTS, mapping={"shop.example.com": 5, "(other)": 1, "a b": 1})
    refuse_known_hosts(redis_client, TARGET, "", HostAddresses(names.look_up))
    assert names.asked["shop.example.com"] == names.asked["40.example.com"] == 1
    redis_client.hset(HOSTS, "old.example.com:8080", 5)
    refuse_known_hosts(redis_client, TARGET, "")
    with pytest.raises(SameHost, match=r"old\.example\.com:8080"):
        refuse_known_hosts(redis_client, TARGET, "", HostAddresses(names.look_up))
