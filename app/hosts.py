"""Hosts as they are compared: the same server is one host, however a client spells its name. Pure.

The router logs the client's Host header as sent: `SHOP.example.com`, `shop.example.com:443` and
`shop.example.com.` are one host (RFC 9110, section 4.2.3; RFC 1034, section 3.1). Nothing that is sent
anywhere goes through here.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

HOST_MAX_CHARS = 255
"""DNS names have 253 at most (RFC 1035, section 2.3.4), and a port may follow."""

_LABEL = "[A-Za-z0-9_-]++"
_HOST = re.compile(rf"(?:({_LABEL}(?:\.{_LABEL})*+)\.?+|\[([0-9A-Fa-f:.]++)\])(?::(?:80|443|)|(:[0-9]++))?")


@lru_cache(maxsize=1024)  # few hosts make up nearly all traffic
def comparable(host: str) -> str:
    """The host in lower case, without the ports 80 and 443 and without the final dot of DNS's root.

    Another port stays. An IPv6 address is shortened, in brackets. Names in punycode stay so. A text that is
    no host, or is too long for one, stays as it is.
    """
    found = _HOST.fullmatch(host) if len(host) <= HOST_MAX_CHARS else None
    if found is None:
        return host
    name, address, port = found.groups("")
    if not address:
        return name.lower() + port
    try:
        return f"[{ipaddress.IPv6Address(address)}]{port}"
    except ValueError:
        return host


def is_valid(host: str) -> bool:
    """Whether it is a host, with or without a port, that may stand in a Host header."""
    return len(host) <= HOST_MAX_CHARS and _HOST.fullmatch(host) is not None


def without_port(host: str) -> str:
    """The host as `comparable` has it, without any port, and an IPv6 address without its brackets."""
    if not host.startswith("[") and host.count(":") > 1:
        host = f"[{host}]"
    found = comparable(host).lower()
    if found.startswith("["):
        return found[1:].partition("]")[0]
    return found.partition(":")[0].rstrip(".")
