"""A name that is shown holds no id, however it looks."""

from __future__ import annotations

import pytest

from consumers.replay.bodies.names import key_name


@pytest.mark.parametrize(
    "key",
    ["session-eabbfe38", "cart_ed582347", "user-deadbeef", "A-FFCBCF84", "k:0a1b2c3d4e5f", "a-eabbfe38-b"],
)
def test_hex_digits_behind_a_word_are_an_id(key: str) -> None:
    assert key_name(key) == ":token"


@pytest.mark.parametrize("key", ["decade2", "base64", "feed01", "sha1_sum", "address_line1", "facade_id"])
def test_words_with_a_number_are_names(key: str) -> None:
    assert key_name(key) == key
