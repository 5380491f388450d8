"""Which requests are wanted. Pure: a filter decides on a parsed line, and knows what its bytes must hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.message import RouterMessage
from app.router_line import RouterLine


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """What a wanted request has in common with all others; an empty field says nothing."""

    app: str = ""
    route: str = ""
    """The name of its row, such as `/products/:id`."""
    path: str = ""
    method: str = ""
    statuses: tuple[tuple[int, int], ...] = ()
    """(first, last) of each range."""
    code: str = ""
    dyno: str = ""
    host: str = ""
    ip: str = ""
    request_id: str = ""
    slower_than_ms: float | None = None
    only_failed: bool = False

    def matches(
        self, message: RouterMessage, line: RouterLine, route_of: Callable[[RouterLine], str]
    ) -> bool:
        """Whether the request of this line is wanted."""
        raise NotImplementedError

    def patterns(self) -> Sequence[re.Pattern[bytes]]:
        """What the JSON of every wanted message matches, each of them; they may match others too."""
        return ()
