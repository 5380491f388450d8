"""What a worker has in hand: known to whoever was forked after it was made."""

from __future__ import annotations

import os

import pytest

from consumers.hand import SIZE_BYTES, Hand, name_of


def test_nothing_is_in_hand_before_and_after_a_batch() -> None:
    hand = Hand()
    assert (hand.is_empty, hand.held()) == (True, ("", ""))
    hand.take(["f.0", "f.1"], "lease")
    assert hand.is_empty
    hand.place[0] = 2
    assert (hand.is_empty, hand.held()) == (False, ("f.1", "lease"))
    hand.drop()
    assert (hand.is_empty, hand.held()) == (True, ("", "lease"))


def test_every_message_is_another_beat() -> None:
    hand = Hand()
    beats = set()
    for _ in range(2):
        hand.take(["f.0"])
        hand.place[0] = 1
        beats.add(hand.beat)
    assert len(beats) == 2


def test_a_process_leaves_behind_what_it_had_in_hand() -> None:
    hand = Hand()
    child = os.fork()
    if not child:
        hand.take(["f.0", 'g"\n\u00e9.1'])
        hand.place[0] = 2
        os._exit(0)
    os.waitpid(child, 0)
    assert hand.held() == ('g"\n\u00e9.1', "")


@pytest.mark.parametrize(
    ("ids", "is_known"),
    [
        ([f"8601b555-6a83-4c12-8269-97c8e32cdb22.{number}" for number in range(50_000)], True),
        (["x" * 1_000 + str(number) for number in range(30_000)], True),
        (["x" * SIZE_BYTES, "y"], True),
        (["x" * 60] * 80_000, False),
    ],
)
def test_a_batch_of_any_size_is_taken(ids: list[str], is_known: bool) -> None:
    hand = Hand()
    hand.take(ids, "lease")
    hand.place[0] = len(ids)
    assert hand.held() == ((name_of(ids[-1]), "lease") if is_known else ("", ""))


def test_long_ids_are_counted_by_a_digest_and_stay_apart() -> None:
    one, other = name_of("x" * 5_000 + "1"), name_of("x" * 5_000 + "2")
    assert one != other
    assert len(one) == len(name_of(one)) == 64
    assert name_of(one) == one
    assert name_of("f.0") == "f.0"
