"""Refuses a target that is the host of the logged requests: a replay would feed on its own traffic."""

from __future__ import annotations

import redis

from app.errors import SameHost
from app.hosts import is_valid, without_port
from app.store import keys, replies
from app.store.schema import HOST_NAMES
from consumers.replay.choice.host_addresses import HOSTS_MAX, HostAddresses
from consumers.replay.choice.target import Target

HOSTS = keys.total("", keys.ALL_ROUTES, HOST_NAMES.hash)
"""Hash: the hosts of all lines that were counted."""


LOOK_UP_WAIT_S = 5.0
"""For the addresses of all known hosts together."""


def refuse_known_hosts(
    store: redis.Redis, target: Target, host_header: str, addresses: HostAddresses | None = None
) -> None:
    """Raises SameHost where the target, or the Host header, is a host that earlier lines came from.
    `addresses`: with `--keep-host`, to compare the addresses, too."""
    try:
        known = replies.text_list(store.hkeys(HOSTS))
    except redis.RedisError:
        return  # Whoever needs Redis waits for it later; each line is checked as well.
    for host in known:
        refuse_same_host(target, host, host_header)
    if addresses is not None:
        hosts = [host for host in known if is_valid(host)]
        addresses.look_up(hosts[:HOSTS_MAX], LOOK_UP_WAIT_S)
        for host in hosts[:HOSTS_MAX]:
            addresses.is_elsewhere(host, target)  # What is not known in time is asked for again by its line.


def refuse_same_host(target: Target, host: str, host_header: str) -> None:
    """Raises SameHost where a line's host is the target, or the Host header that is sent (empty: the
    target's own), on whatever port. A router that many apps share routes by the header, whatever the
    address."""
    for sent_to, what in (
        (target.host, "The target"),
        (host_header, "The Host header (REPLAY_HOST_HEADER, or a rule's)"),
    ):
        if sent_to and without_port(sent_to) == without_port(host):
            raise SameHost(
                f"{what} is {sent_to}, the host that these lines come from: the replay would receive its "
                "own traffic. Choose another host, or set REPLAY_ALLOW_SAME_HOST=1"
            )
