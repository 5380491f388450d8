"""What is counted of requests: those that failed, were aborted, had a status or a code. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from app.outcomes import ABORTED_CODES
from app.store.sums import Sums

ROUTER_CODE = re.compile(r"[Hh][0-9]{2}")


@dataclass(frozen=True, slots=True)
class Measure:
    """A kind of requests."""

    kind: Literal["errors", "aborted", "codes", "code", "status"]
    which: str = ""
    """`H12`, `503`, `5xx`."""

    @property
    def text(self) -> str:
        """As in the file."""
        return f"{self.kind} {self.which}" if self.which else self.kind

    @property
    def did(self) -> str:
        """`20.3 % of 1,240 requests failed`."""
        return {
            "errors": "failed",
            "aborted": "were aborted by their clients",
            "codes": "had an error code of the router",
            "code": f"had the code {self.which}",
            "status": f"had a status of {self.which}"
            if "x" in self.which
            else f"had the status {self.which}",
        }[self.kind]

    def hits(self, sums: Sums) -> int:
        """How many of the requests are such."""
        if self.kind == "errors":
            return sums.errors
        if self.kind == "aborted":
            return sums.aborted
        if self.kind == "code":
            return sums.codes.get(self.which, 0)
        if self.kind == "codes":
            return min(
                sums.requests,
                sum(
                    count
                    for code, count in sums.codes.items()
                    if ROUTER_CODE.fullmatch(code) and code not in ABORTED_CODES
                ),
            )
        if "x" in self.which:
            first = self.which[0]
            return sum(
                count for status, count in sums.statuses.items() if status[:1] == first and len(status) == 3
            )
        return sums.statuses.get(self.which, 0)
