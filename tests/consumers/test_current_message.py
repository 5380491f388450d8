"""The message that a worker is processing: visible to every process forked after it was created."""

from __future__ import annotations

import os

import pytest

from consumers.current_message import SIZE_BYTES, CurrentMessage, message_key


def test_nothing_is_in_hand_before_and_after_a_batch() -> None:
    current_message = CurrentMessage()
    assert (current_message.is_empty, current_message.message_and_lease()) == (True, ("", ""))
    current_message.begin_batch(["f.0", "f.1"], "lease")
    assert current_message.is_empty
    current_message.cursor[0] = 2
    assert (current_message.is_empty, current_message.message_and_lease()) == (False, ("f.1", "lease"))
    current_message.clear()
    assert (current_message.is_empty, current_message.message_and_lease()) == (True, ("", "lease"))


def test_every_message_is_another_beat() -> None:
    current_message = CurrentMessage()
    beats = set()
    for _ in range(2):
        current_message.begin_batch(["f.0"])
        current_message.cursor[0] = 1
        beats.add(current_message.progress)
    assert len(beats) == 2


def test_a_process_leaves_behind_what_it_had_in_hand() -> None:
    current_message = CurrentMessage()
    child = os.fork()
    if not child:
        current_message.begin_batch(["f.0", 'g"\n\u00e9.1'])
        current_message.cursor[0] = 2
        os._exit(0)
    os.waitpid(child, 0)
    assert current_message.message_and_lease() == ('g"\n\u00e9.1', "")


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
    current_message = CurrentMessage()
    current_message.begin_batch(ids, "lease")
    current_message.cursor[0] = len(ids)
    assert current_message.message_and_lease() == ((message_key(ids[-1]), "lease") if is_known else ("", ""))


def test_long_ids_are_counted_by_a_digest_and_stay_apart() -> None:
    one, other = message_key("x" * 5_000 + "1"), message_key("x" * 5_000 + "2")
    assert one != other
    assert len(one) == len(message_key(one)) == 64
    assert message_key(one) == one
    assert message_key("f.0") == "f.0"
