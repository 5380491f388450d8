"""Which requests are wanted. Pure: a filter decides on a parsed line, and knows what its bytes must hold."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app import outcomes
from app.connections import is_switched
from app.hosts import comparable
from app.message import RouterMessage
from app.paths import decoded_path
from app.router_line import RouterLine, milliseconds
from app.routes import compile_rules
from app.search import patterns
from app.store.bounds import NOT_FOUND, OTHER, STATUS


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """What a wanted request has in common with all others; an empty field says nothing."""

    app: str = ""
    route: str = ""
    """The name of its row, such as `/products/:id`."""
    path: str = ""
    """A pattern as under `routes:` that its decoded path fits, such as `/products/42` or `/files/*rest`."""
    method: str = ""
    statuses: tuple[tuple[int, int], ...] = ()
    """(first, last) of each range."""
    code: str = ""
    dyno: str = ""
    """`web.3`, or `web` for all of that type."""
    host: str = ""
    ip: str = ""
    """An address that is anywhere in `fwd`."""
    request_id: str = ""
    slower_than_ms: float | None = None
    """Of its service time; a connection has none, only a lifetime."""
    only_failed: bool = False

    def matches(
        self,
        message: RouterMessage,
        line: RouterLine,
        route_of: Callable[[RouterLine], str],
        is_connection: Callable[[RouterLine], bool] = is_switched,
    ) -> bool:
        """Whether the request of this line is wanted."""
        return (
            (not self.app or message["app"] == self.app)
            and (not self.request_id or line.request_id == self.request_id)
            and (not self.statuses or self._has_status(line.status))
            and (not self.method or line.method == self.method)
            and (not self.code or line.code == self.code)
            and (not self.dyno or _is_dyno(line.dyno, self.dyno))
            and (not self.host or comparable(line.host) == comparable(self.host))
            and (not self.ip or any(is_same_address(one, self.ip) for one in addresses(line)))
            and (not self.only_failed or bool(outcomes.failed(line.status, line.at, line.code)))
            and (self.slower_than_ms is None or self._is_slower(line, is_connection))
            and (not self.path or _path_regex(self.path).fullmatch(decoded_path(line)) is not None)
            and (not self.route or route_of(line) == self.route)
        )

    def patterns(self) -> Sequence[re.Pattern[bytes]]:
        """What the JSON of every wanted message matches, each of them; they may match others too. The most
        selective come first."""
        found: list[re.Pattern[bytes]] = []
        if self.request_id:
            found += patterns.contains(self.request_id) or patterns.starts("request_id", self.request_id)
        if self.ip:
            found += patterns.address_is(self.ip)
        if self.code:
            found += patterns.starts("code", self.code)
        if self.statuses:
            found += patterns.status_in(self.statuses)
        elif self.route == NOT_FOUND:
            found += patterns.not_found()
        if self.only_failed:
            found += patterns.failed()
        if self.path:
            found += patterns.path_starts(self.path)
        if self.route and self.route not in (OTHER, NOT_FOUND):
            found += patterns.path_starts(self.route)
        if self.slower_than_ms is not None:
            found += patterns.service_at_least(self.slower_than_ms)
        if self.dyno:
            found += patterns.starts("dyno", self.dyno)
        if self.host:
            found += patterns.host_is(self.host)
        if self.method:
            found += patterns.starts("method", self.method)
        if self.app:
            found += patterns.app_is(self.app)
        return found

    def _has_status(self, status: str) -> bool:
        if not STATUS.fullmatch(status):
            return False
        return any(first <= int(status) <= last for first, last in self.statuses)

    def _is_slower(self, line: RouterLine, is_connection: Callable[[RouterLine], bool]) -> bool:
        assert self.slower_than_ms is not None
        service_ms = milliseconds(line.service)
        return service_ms is not None and service_ms > self.slower_than_ms and not is_connection(line)


def addresses(line: RouterLine) -> list[str]:
    """The addresses in `fwd`. The last is the one that the router itself saw; those before it are what the
    request's X-Forwarded-For claimed, so they come from proxies or are made up."""
    return [part for address in line.fwd.split(",") if (part := address.strip())]


def client_address(line: RouterLine) -> str:
    """The address that connected to the router; empty if the line has none."""
    return line.fwd.rpartition(",")[2].strip()


def is_same_address(address: str, wanted: str) -> bool:
    """Whether both are the same address: IPv6 has many spellings, and an IPv4 address may stand in one."""
    if address == wanted:
        return True
    if ":" not in wanted:
        return address.lower() == f"::ffff:{wanted}"
    return ":" in address and _ipv6(address) == _ipv6(wanted) is not None


@lru_cache(maxsize=4096)
def _ipv6(address: str) -> ipaddress.IPv6Address | None:
    try:
        return ipaddress.IPv6Address(address)
    except ValueError:
        return None


def _is_dyno(dyno: str, wanted: str) -> bool:
    return dyno == wanted or ("." not in wanted and dyno.startswith(f"{wanted}."))


@lru_cache(maxsize=64)
def _path_regex(pattern: str) -> re.Pattern[str]:
    return compile_rules([pattern], "the path")[0][0]
