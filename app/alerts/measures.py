"""What is counted of requests: those that failed, were aborted, had a status or a code. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from app.outcomes import ABORTED_CODES, ABORTED_STATUS, aborted, failed
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

    @property
    def is_failing(self) -> bool:
        """Whether such requests fail. Of those that clients aborted, and of 404 and the like, nobody says
        that."""
        return self.kind != "aborted" and (self.kind != "status" or self.which.startswith("5"))

    @property
    def flags(self) -> str:
        """What of `python -m app requests` finds such requests."""
        if self.kind == "aborted":
            return f"--status {ABORTED_STATUS}"
        return f"--{self.kind} {self.which}" if self.which else "--failed"

    def is_of(self, status: str, code: str) -> bool:
        """Whether a single request is such. The router gives a code where something went wrong."""
        if self.kind == "errors":
            return bool(failed(status, "error" if code else "", code))
        if self.kind == "aborted":
            return bool(aborted(status, "", code))
        if self.kind == "code":
            return code == self.which
        if self.kind == "codes":
            return _is_fault(code)
        return len(status) == len(self.which) and status.startswith(self.which.rstrip("x"))

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
                sum(count for code, count in sums.codes.items() if _is_fault(code)),
            )
        if "x" in self.which:
            return sum(count for status, count in sums.statuses.items() if self.is_of(status, ""))
        return sums.statuses.get(self.which, 0)


def _is_fault(code: str) -> bool:
    return ROUTER_CODE.fullmatch(code) is not None and code not in ABORTED_CODES
