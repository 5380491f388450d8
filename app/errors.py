"""Every error that Tailrace raises on purpose, on one page.

Each says what happened and, where a person can fix it, names the setting and the fix.
None of them contains a password, a token or a certificate in its text.
"""


class TailraceError(Exception):
    """The family: whatever the command line turns into one line and an exit code."""


class BadSettings(TailraceError):
    """The environment or the YAML file holds settings that cannot work; lists every fault."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("bad settings:\n" + "\n".join(f"  - {fault}" for fault in faults))


class MalformedFrame(TailraceError):
    """A frame cannot be parsed beyond byte `offset` of its body; `reason` says what is wrong there."""

    def __init__(self, offset: int, reason: str) -> None:
        self.offset = offset
        self.reason = reason
        super().__init__(f"malformed at byte {offset}: {reason}")


class NotDurable(TailraceError):
    """The message log did not acknowledge in time; the same frame may be sent again."""


class LogUnavailable(TailraceError):
    """The message log or Redis is unreachable; wait and retry."""


class BadMessage(TailraceError):
    """A value in the topic is not a Tailrace message."""


class StaleBatch(TailraceError):
    """Another process owns these messages now (after a rebalance or takeover): count nothing, read again."""


class SameHost(TailraceError):
    """The replay's target, or the Host header that it sends, is the host that the lines come from."""


class TargetDown(TailraceError):
    """The target, or the baseline, failed many times in a row, so going on would measure nothing."""


class TooManySilences(TailraceError):
    """No further silence is taken."""


def first_words(fault: Exception) -> str:
    """What another library raised: its class and first line, never an address with a password."""
    return f"{type(fault).__name__}: {str(fault).partition(chr(10))[0][:120]}"
