"""Marks of replayed requests: who holds the key makes and recognises them, and nobody else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.loop_guard import ID_MAX_CHARS, MARK, LoopGuard, is_marked, original_id

GUARD = LoopGuard(lambda: b"a key of the tests")
UUID = "8601b555-6a83-4c12-8269-97c8e32cdb22"
KEPT_BY_THE_ROUTER = re.compile(r"[A-Za-z0-9+/=-]{20,200}")

any_text = st.text(st.characters(exclude_categories=()), max_size=250)
"""Any characters, lone surrogates too."""


@pytest.mark.parametrize(
    "identity",
    ["", "short", UUID, "f.0", "a" * 160, "a" * 161, "a" * 200, "with space", "caf\u00e9", "x\r\nEvil: 1"],
)
def test_a_mark_has_a_form_that_the_router_keeps(identity: str) -> None:
    marked = GUARD.mark(identity)
    assert KEPT_BY_THE_ROUTER.fullmatch(marked)
    assert is_marked(marked)
    assert GUARD.is_replayed(marked)
    assert not GUARD.is_replayed(identity)


def test_the_original_can_be_read_from_its_mark() -> None:
    marked = GUARD.mark(UUID)
    assert marked.startswith(MARK + UUID)
    assert original_id(marked) == UUID
    assert original_id(UUID) == UUID


@given(any_text)
def test_a_mark_is_the_same_each_time_and_no_other_originals(identity: str) -> None:
    assert GUARD.mark(identity) == GUARD.mark(identity) != GUARD.mark(identity + "x")


@given(st.one_of(any_text, any_text.map(MARK.__add__)))
def test_no_invented_id_is_taken_for_a_replay(request_id: str) -> None:
    assert not GUARD.is_replayed(request_id)


@given(st.data())
def test_a_mark_with_any_other_character_is_not_valid(data: st.DataObject) -> None:
    marked = GUARD.mark(UUID)
    at = data.draw(st.integers(0, len(marked) - 1))
    other = data.draw(st.characters(exclude_characters=marked[at]))
    assert not GUARD.is_replayed(marked[:at] + other + marked[at + 1 :])
    assert not GUARD.is_replayed(marked[:at] + marked[at + 1 :])


def test_another_installations_mark_is_not_valid() -> None:
    marked = LoopGuard(lambda: b"another key").mark(UUID)
    assert is_marked(marked)
    assert not GUARD.is_replayed(marked)


def test_without_a_key_no_mark_is_valid() -> None:
    guard = LoopGuard(lambda: b"")
    assert not guard.is_replayed(guard.mark(UUID))


def test_what_is_too_long_for_the_router_is_not_even_hashed() -> None:
    def fail() -> bytes:
        raise AssertionError("the key was asked for")

    guard = LoopGuard(fail)
    assert not guard.is_replayed(MARK + "a" * ID_MAX_CHARS)
    assert not guard.is_replayed(UUID)
