"""Whatever three servers answer: a comparison ends, and names nothing that is a value."""

from __future__ import annotations

import gzip

import orjson
from hypothesis import given
from hypothesis import strategies as st

from consumers.replay.bodies.compare import compare
from tests.consumers.replay.bodies.replies import NEW, reply, shown

MARK = "hunter2"
KINDS = [
    "",
    "application/json",
    "text/html; charset=utf-8",
    "text/plain; charset=x",
    "application/xml",
    "image/png",
]
VALUES = st.recursive(
    # JSON has no infinity: it would be written as null.
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.just(MARK),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
MARKUP = st.lists(
    st.sampled_from(
        [
            "<p>",
            "</p>",
            "<a href='",
            '"',
            "'",
            ">",
            "<",
            f"<b {MARK}",
            "<br/>",
            f"{MARK} ",
            " x=1 ",
            "\n",
            "&",
            "\\",
        ]
    ),
    max_size=30,
).map("".join)
BODIES = st.one_of(
    VALUES.map(orjson.dumps),
    MARKUP.map(str.encode),
    st.binary(max_size=60),
    VALUES.map(lambda value: gzip.compress(orjson.dumps(value))),
)
HEADS = st.sampled_from(
    [
        "",
        "Content-Encoding: gzip\r\n",
        "Content-Encoding: br, deflate\r\n",
        f"Location: //{MARK}:x/[\r\n",
        "X\r\n",
    ]
)
REPLIES = st.builds(
    reply,
    BODIES,
    st.sampled_from(KINDS),
    status=st.sampled_from([200, 200, 200, 204, 302, 500]),
    head=HEADS,
    origin=st.just(NEW),
    is_cut=st.booleans(),
)


@given(REPLIES, REPLIES, REPLIES)
def test_any_three_answers_can_be_compared(first: object, again: object, candidate: object) -> None:
    found = compare(first, again, candidate)  # type: ignore[arg-type]
    assert not any(MARK in name for name in shown(found.differing | found.noise | found.noisy))


@given(REPLIES, REPLIES)
def test_an_answer_like_one_of_the_baselines_never_differs(first: object, again: object) -> None:
    for candidate in (first, again):
        assert compare(first, again, candidate).differing == set()  # type: ignore[arg-type]


@given(VALUES, VALUES)
def test_json_differs_where_its_values_do(one: object, two: object) -> None:
    found = compare(reply(one), reply(one), reply(two))
    assert (found.differing == set()) == (_kinds(one) == _kinds(two))


def _kinds(value: object) -> object:
    """The value in a form in which 1 is 1.0, but not True."""
    if isinstance(value, dict):
        return {key: _kinds(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_kinds(inner) for inner in value]
    return ("bool", value) if isinstance(value, bool) else value
