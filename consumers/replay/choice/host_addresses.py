"""Whether a line's host is the replay's target, by address: the guard against production for `--keep-host`.

With the line's own Host header, the name of the target says nothing: a request with production's host that
reaches production's address, or a router that both share, is production traffic. So the addresses of each
host are looked up once and compared with the target's. A lookup never holds the replay up for long: it runs
in a thread of its own, and a host whose addresses are not known in time is not sent (`unknown-address`).

What cannot be held by address: a shared router or CDN that answers staging and production on different
addresses, and routes by the Host header on each of them. The routers of well-known platforms are refused by
their domain, also behind a CNAME.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from app.errors import SameHost
from app.hosts import without_port
from consumers.replay.choice.target import Target

LOOKUP_WAIT_S = 2.0
"""The most that one new host may hold the replay up."""

TROUBLE_WAIT_S = 0.05
"""While the name servers do not answer."""

RETRY_AFTER_S = 30.0
HOSTS_MAX = 2_000
"""Hosts whose addresses are remembered."""

LOOKUPS_MAX = 16
"""Lookups under way at once."""

SHARED_ROUTERS = (
    "herokuapp.com",
    "herokudns.com",
    "herokussl.com",
    "appspot.com",
    "azurecontainerapps.io",
    "azurewebsites.net",
    "cleverapps.io",
    "cloudfront.net",
    "fly.dev",
    "netlify.app",
    "onrender.com",
    "ondigitalocean.app",
    "pages.dev",
    "railway.app",
    "run.app",
    "scalingo.io",
    "vercel.app",
    "workers.dev",
)
"""Domains of routers that serve many apps on the same addresses and choose the app by the Host header."""

FIX = (
    "Choose a target that is reached otherwise, leave out --keep-host, or, if you are certain, set "
    "REPLAY_ALLOW_SAME_HOST=1"
)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the name servers say of a host: its addresses, and the name that it is an alias of. Empty where
    there is no such host."""

    addresses: frozenset[str] = frozenset()
    canonical: str = ""


Lookup = Callable[[str], Resolved]
"""May block. Raises OSError where the name servers do not answer."""


def resolve(host: str) -> Resolved:
    """What the system's resolver says. Raises OSError where it cannot tell."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
    except socket.gaierror as fault:
        if fault.errno in (socket.EAI_AGAIN, socket.EAI_MEMORY, socket.EAI_SYSTEM):
            raise
        return Resolved()  # It does not exist, or has no address.
    except UnicodeError:
        return Resolved()  # A label of more than 63 characters.
    addresses = frozenset(filter(None, (_comparable(str(entry[4][0])) for entry in found)))
    return Resolved(addresses, without_port(found[0][3] or host))


def _comparable(address: str) -> str:
    """IPv4 in whatever spelling is one address; empty for what is none."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)


@dataclass(slots=True)
class _Entry:
    """One lookup: under way, or finished."""

    done: threading.Event = field(default_factory=threading.Event)
    found: Resolved | None = None
    """None: under way, or the name servers do not answer."""
    until_s: float = 0.0
    """After a failure: when to ask again."""
    is_late: bool = False
    """Somebody has waited for it in vain, so nobody else does."""


class HostAddresses:
    """The addresses of the lines' hosts and of the targets, each looked up once. One thread uses it."""

    def __init__(self, lookup: Lookup = resolve, clock: Callable[[], float] = time.monotonic) -> None:
        self._lookup = lookup
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._slots = threading.Semaphore(LOOKUPS_MAX)
        self._trouble_until_s = 0.0
        self._elsewhere: set[tuple[str, Target]] = set()

    def refuse_shared_router(self, target: Target) -> None:
        """Raises SameHost where the target is behind a router that many apps share."""
        name = without_port(target.host)
        found = self._known(name, LOOKUP_WAIT_S)
        for one in (name, found.canonical if found else ""):
            for domain in SHARED_ROUTERS:
                if one == domain or one.endswith("." + domain):
                    alias = f" ({target.host} is an alias of {one})" if one != name else ""
                    raise SameHost(
                        f"--keep-host: the target {target.host} is reached through a router that many apps "
                        f"share, {domain}{alias}. It goes by the Host header, whatever the address, so the "
                        f"requests would reach production. {FIX}"
                    )

    def is_elsewhere(self, host: str, target: Target) -> bool:
        """Whether a line's host is known to be another server than the target. Raises SameHost where it is
        the same one."""
        if (host, target) in self._elsewhere:
            return True
        if self._is_known_elsewhere(host, target):
            if len(self._elsewhere) >= HOSTS_MAX:
                self._elsewhere.clear()
            self._elsewhere.add((host, target))
            return True
        return False

    def _is_known_elsewhere(self, host: str, target: Target) -> bool:
        if _is_loopback(without_port(target.host)):
            return True  # Lines never come from there.
        of_target = self._known(without_port(target.host))
        if of_target is None:
            return False
        if of_target.addresses and all(map(_is_loopback, of_target.addresses)):
            return True
        of_host = self._known(without_port(host))
        if of_host is None:
            return False
        shared = of_target.addresses & of_host.addresses
        is_alias = bool(of_host.canonical) and of_host.canonical == of_target.canonical
        if shared or is_alias:
            what = f"the address {min(shared)}" if shared else f"the name {of_host.canonical}"
            raise SameHost(
                f"--keep-host: the target {target.host} and {host}, the host that these lines come from, "
                f"have {what} in common: the replay would receive its own traffic. {FIX}"
            )
        return True

    def look_up(self, hosts: Iterable[str], wait_s: float) -> None:
        """Looks up many hosts at once, and waits for them together."""
        deadline_s = self._clock() + wait_s

        def left_s() -> float:
            return max(0.0, deadline_s - self._clock())

        for entry in [self._entry(without_port(host), left_s()) for host in hosts]:
            entry.done.wait(left_s())

    def _known(self, name: str, wait_s: float | None = None) -> Resolved | None:
        """None where the name servers have not answered in time."""
        entry = self._entry(name)
        if not entry.is_late and not entry.done.is_set():
            if wait_s is None:
                wait_s = TROUBLE_WAIT_S if self._clock() < self._trouble_until_s else LOOKUP_WAIT_S
            if not entry.done.wait(wait_s):
                entry.is_late = True
                self._trouble_until_s = self._clock() + RETRY_AFTER_S
        return entry.found

    def _entry(self, name: str, slot_wait_s: float = 0.0) -> _Entry:
        entry = self._entries.get(name)
        if entry is not None and (not entry.until_s or self._clock() < entry.until_s):
            self._entries.move_to_end(name)
            return entry
        entry = self._entries[name] = _Entry()
        while len(self._entries) > HOSTS_MAX:
            self._entries.popitem(last=False)
        if self._slots.acquire(timeout=slot_wait_s):
            threading.Thread(target=self._ask, args=(name, entry), name="lookup", daemon=True).start()
        else:
            self._fail(entry)
        return entry

    def _ask(self, name: str, entry: _Entry) -> None:
        try:
            entry.found = self._lookup(name)
        except OSError:
            self._fail(entry)
        finally:
            self._slots.release()
            entry.done.set()

    def _fail(self, entry: _Entry) -> None:
        entry.until_s = self._clock() + RETRY_AFTER_S
        entry.done.set()


def _is_loopback(name_or_address: str) -> bool:
    try:
        address = ipaddress.ip_address(_comparable(name_or_address))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified  # A connection to 0.0.0.0 comes here, too.
