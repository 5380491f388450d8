"""Reads a time window as Redis keeps it: MessagePack of a map, field -> count. Pure.

Scripts sum windows up where they are (queries/sum_windows.lua), which is best where many become few rows.
Where few windows of many rows are wanted, and often, Redis had better hand them out as they are: summing one
takes it 10 to 20 microseconds, handing it out about one.
"""

from __future__ import annotations

import struct

from app.store.schema import Field

Values = dict[Field, int]


def unpacked(window: bytes) -> Values:
    """Field -> count. Knows all numbers and texts of MessagePack, because Redis's own packer and that of
    rows.py may choose different forms. Raises ValueError for anything else."""
    try:
        return _read_map(window)
    except (IndexError, struct.error, KeyError) as fault:
        raise ValueError("is not a window") from fault


def _read_map(window: bytes) -> Values:
    first, at = window[0], 1
    if 0x80 <= first <= 0x8F:
        size = first & 0x0F
    elif first == 0xDE:
        size, at = (window[1] << 8) | window[2], 3
    elif first == 0xDF:
        size, at = int.from_bytes(window[1:5], "big"), 5
    else:
        raise ValueError("is not a map")
    found: Values = {}
    for _ in range(size):
        byte = window[at]
        field: Field
        if byte < 0x80:
            field, at = byte, at + 1
        elif byte >= 0xE0:
            field, at = byte - 0x100, at + 1
        elif 0xA0 <= byte <= 0xBF:
            end = at + 1 + (byte & 0x1F)
            field, at = _text(window, at + 1, end), end
        elif byte in _LENGTH_BYTES:
            start = at + 1 + _LENGTH_BYTES[byte]
            end = start + int.from_bytes(window[at + 1 : start], "big")
            field, at = _text(window, start, end), end
        else:
            field, at = _number(window, at)
        byte = window[at]
        if byte < 0x80:
            count, at = byte, at + 1
        elif byte >= 0xE0:
            count, at = byte - 0x100, at + 1
        else:
            count, at = _number(window, at)
        found[field] = count
    return found


_LENGTH_BYTES = {0xD9: 1, 0xDA: 2, 0xDB: 4}
"""First byte of a longer text -> bytes of its length."""

_NUMBERS = {
    0xCA: struct.Struct(">f"),
    0xCB: struct.Struct(">d"),
    0xCC: struct.Struct(">B"),
    0xCD: struct.Struct(">H"),
    0xCE: struct.Struct(">I"),
    0xCF: struct.Struct(">Q"),
    0xD0: struct.Struct(">b"),
    0xD1: struct.Struct(">h"),
    0xD2: struct.Struct(">i"),
    0xD3: struct.Struct(">q"),
}
"""First byte of a number -> its form."""


def _number(window: bytes, at: int) -> tuple[int, int]:
    """The whole number that begins there, and where the next value begins."""
    form = _NUMBERS[window[at]]
    return int(form.unpack_from(window, at + 1)[0]), at + 1 + form.size


def _text(window: bytes, start: int, end: int) -> str:
    if end > len(window):
        raise IndexError
    return window[start:end].decode("utf-8", "replace")
