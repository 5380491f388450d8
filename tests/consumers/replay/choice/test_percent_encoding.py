"""A decoded path is encoded again, so that it can be sent and is what the client sent."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.paths import decoded, printable
from app.router_line import path_only
from consumers.replay.choice.percent_encoding import encode_again
from consumers.replay.choice.target import RefusedPath, request_target
from tests.consumers.replay.router_2_paths import ALL

ORIGIN_FORM = re.compile(rb"/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-F]{2})*(?:\?[!-\"$-~]*)?")

bytes_of_a_path = st.binary(max_size=40).map(lambda data: b"/" + data.replace(b"?", b""))


@pytest.mark.parametrize(("logged", "sent"), ALL)
def test_what_is_sent_is_what_the_client_sent_as_far_as_the_line_tells(logged: str, sent: str) -> None:
    assert encode_again(logged) == sent
    assert ORIGIN_FORM.fullmatch(request_target(sent))


@given(bytes_of_a_path)
def test_every_decoded_path_can_be_sent_and_is_decoded_to_the_same_bytes(path: bytes) -> None:
    encoded = request_target(encode_again(path.decode("utf-8", "surrogateescape")))
    assert ORIGIN_FORM.fullmatch(encoded)
    assert unquote_to_bytes(encoded) == path


@given(st.binary(max_size=40))
def test_a_query_loses_nothing_and_keeps_its_escapes(query: bytes) -> None:
    encoded = encode_again("/?" + query.decode("utf-8", "surrogateescape"))
    assert ORIGIN_FORM.fullmatch(request_target(encoded))
    assert unquote_to_bytes(encoded) == b"/?" + unquote_to_bytes(query)


def test_half_of_a_surrogate_pair_is_left_to_be_refused() -> None:
    assert encode_again("/a\ud800 b") == "/a\ud800 b"
    with pytest.raises(RefusedPath):
        request_target("/a\ud800 b")


@pytest.mark.parametrize(("logged", "sent"), ALL)
def test_reading_an_encoded_path_gives_the_logged_one(logged: str, sent: str) -> None:
    assert decoded(path_only(sent)) == printable(path_only(logged))
