"""What a terminal can show."""

from __future__ import annotations

from app.cli.terminal import printable

LINES = ["✗ p95  /caf\u00e9  334 → 478 ms (\N{MINUS SIGN}9 … +35 %)", "✓ held", "· rare"]


def test_what_can_be_encoded_stays_as_it_is() -> None:
    assert printable(LINES, "utf-8") == LINES


def test_else_our_signs_are_in_ascii_and_other_characters_are_escapes() -> None:
    shown = ["FAIL p95  /caf\\xe9  334 -> 478 ms (-9 ... +35 %)", "ok held", "- rare"]
    for encoding in ("ascii", "latin-1", "no-such-encoding"):
        assert printable(LINES, encoding) == shown
    assert printable(["/half\udcff"], "utf-8") == ["/half\\udcff"]
