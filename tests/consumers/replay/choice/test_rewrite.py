"""A user's regular expression on what any client may send: right, and never slow."""

from __future__ import annotations

import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings.replay_rules import parse_rules, parse_substitution
from consumers.replay.choice.rewrite import TooMuchWork, rewrite
from consumers.replay.choice.rules import Rules
from tests.consumers.replay.samples import request

EXPRESSIONS = [
    r"^/users/(\d+)",
    r"(^|&)q=[^&]*",
    "a*",
    "(a)|(b)",
    "(?P<name>[^/]+)",
    ".",
    "(?i)A+",
    "/$",
    "[^a]",
    "é",
    "[é/]",
    "",
]


def rewritten(match: str, replace: str, text: str) -> str:
    return rewrite(parse_substitution(match, replace), text)


@given(
    st.sampled_from(EXPRESSIONS),
    st.sampled_from(["", "x", "é", r"<\g<0>>", r"\\", r"\."]),
    st.text("/aAb&q=1é\udcff\udcc3", max_size=12),
)
def test_it_replaces_what_pythons_own_engine_replaces(match: str, replace: str, text: str) -> None:
    assert rewritten(match, replace, text) == re.sub(match, replace, text)


def test_groups_are_named_and_numbered_as_before() -> None:
    assert rewritten(r"^/(\w+)/(?P<id>\d+)", r"/\g<id>/\1\g<2>", "/users/42/x") == "/42/users42/x"
    assert rewritten(r"(a)|(b)", r"[\1\2]", "ab") == "[a][b]"


def test_bytes_that_are_no_utf8_go_through_as_they_are() -> None:
    path = b"/v1/\xff\xfe/caf\xc3\xa9/\xe9".decode("utf-8", "surrogateescape")
    moved = rewritten("^/v1/(.)", r"/v2/\1-", path)
    assert moved.encode("utf-8", "surrogateescape") == b"/v2/\xff-\xfe/caf\xc3\xa9/\xe9"


@pytest.mark.parametrize("match", [r"^/(\w+)*/x$", r"(a+)+$", r"(a|aa)+$", r"(.*a){12}$", r"(\w*)*=(\w*)*$"])
def test_no_path_holds_an_expression_up(match: str) -> None:
    path = "/" + "a" * 8_000 + "!"
    started = time.process_time()
    assert rewritten(match, "x", path) == path
    assert time.process_time() - started < 1


def test_a_path_with_too_many_matches_is_not_sent() -> None:
    rules = Rules(
        parse_rules([{"rewrite_path": {"match": "([ab]*a[ab]{200}c)|a", "replace": "b"}}], {}), ("GET",)
    )
    path = "/" + "".join(random.Random(1).choices("ab", k=8_000))
    started = time.process_time()
    decision = rules.decide(request(path=path))
    assert time.process_time() - started < 10
    assert (decision.allowed, decision.reason) == (False, "rewrite-limit")
    with pytest.raises(TooMuchWork):
        rewritten("a", "b", "a" * 100_000)


def test_an_ordinary_rewrite_may_match_a_hundred_times_in_the_longest_path() -> None:
    path = "/a-b" * 2_000
    assert rewritten("(^|&)token=[^&]*", "", path) == path
    assert rewritten("(?i)%2f", "/", "%2F" * 100 + path) == "/" * 100 + path
