"""The identity of a frame: what the sender gives, else what its body is."""

from __future__ import annotations

import hashlib

import pytest

from drain.receivers.frame import FRAME_ID_MAX_CHARACTERS, frame_id_of


@pytest.mark.parametrize("given", ["8601b555-6a83-4c12-8269-97c8e32cdb22", "a.b:c 1", "x" * 64])
def test_a_frame_id_is_taken_as_sent_whatever_the_body(given: str) -> None:
    assert frame_id_of(given, "d.1", b"one") == frame_id_of(given, "d.2", b"other") == given


@pytest.mark.parametrize("length", [65, 128, 8_000])
def test_a_long_frame_id_is_known_by_its_digest(length: int) -> None:
    found = frame_id_of("x" * length, "", b"")
    assert len(found) == 32
    assert found == frame_id_of("x" * length, "", b"other"), "a retry is the same frame"
    assert found != frame_id_of("x" * (length - 1) + "y", "", b"")


@pytest.mark.parametrize("given", ["", "caf\xe9", "a\nb", "a\x00"])
def test_without_an_id_that_can_be_one_it_is_the_sha_256_of_token_and_body(given: str) -> None:
    found = frame_id_of(given, "d.1", b"body")
    assert found == hashlib.sha256(b"d.1\0body").hexdigest()
    assert len(found) <= FRAME_ID_MAX_CHARACTERS


def test_bodies_or_tokens_that_differ_are_different_frames() -> None:
    senders = [("", b"body"), ("", b"bodx"), ("d.1", b"body"), ("d.2", b"body"), ("d", b".1body"), ("", b"")]
    assert len({frame_id_of("", token, body) for token, body in senders}) == len(senders)


def test_the_app_in_the_url_is_part_of_the_identity_of_a_frame_without_an_id() -> None:
    senders = [("", b"body", app) for app in ("", "shop", "blog", "sho")] + [("d.1", b"body", "shop")]
    assert len({frame_id_of("", token, body, app) for token, body, app in senders}) == len(senders)
    assert frame_id_of("", "d.1", b"body", "shop") == frame_id_of("", "d.1", b"body", "shop")
    assert frame_id_of("given", "d.1", b"body", "shop") == "given"
