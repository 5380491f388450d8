"""What follows PROCID in a syslog message: MSGID, STRUCTURED-DATA and the text, as far as they are there."""

from __future__ import annotations

import re

# A field that holds `=` is no MSGID but the message's first pair, from a sender that leaves MSGID out.
_MSGID = re.compile(r"([!-<>-~]++)(?: |(?=\n?\Z))")
_NAME = r"[!#-<>-\\^-~]+"  # printable ASCII but for `=`, `]`, `"` and the space
_VALUE = r'"[^"\\\]]*(?:\\.[^"\\\]]*)*"'
_STRUCTURED_DATA = re.compile(rf"(-|(?:\[{_NAME}(?: {_NAME}={_VALUE})*\])+)(?: |(?=\n?\Z))", re.DOTALL)


def split_tail(tail: str, *, is_sentence: bool = False) -> tuple[str | None, str | None, str]:
    """(MSGID, STRUCTURED-DATA, MSG) of what follows PROCID; None for the nil value and for nothing.

    The text of what is kept begins with neither `- ` nor `[id ...]`, so such a beginning is
    STRUCTURED-DATA, and anything else is text.

    `is_sentence`: the text may begin with any word, so it does not show whether the sender leaves MSGID out.
    Heroku always sends the nil MSGID, so another one counts only in front of STRUCTURED-DATA: no sentence has
    that for its second word.
    """
    msgid = _MSGID.match(tail)
    if msgid is None:
        return None, None, tail
    data = _STRUCTURED_DATA.match(tail, msgid.end())
    if data is None:
        if is_sentence and msgid[1] != "-":
            return None, None, tail
        return _or_nil(msgid[1]), None, tail[msgid.end() :]
    return _or_nil(msgid[1]), _or_nil(data[1]), tail[data.end() :]


def _or_nil(value: str) -> str | None:
    return None if value == "-" else value
