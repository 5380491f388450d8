"""Rules of the YAML file: checked before anything is sent, every fault of every rule at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from app.errors import BadSettings
from app.settings.replay_rules import (
    CONDITIONS,
    BadExpression,
    parse_rules,
    parse_substitution,
    require_variables,
)


def test_every_fault_of_every_rule_is_reported_and_no_secret_with_it() -> None:
    nothing: list[Any] = [None, [], {}, [None], ""]
    empty = [{name: none, "do": "deny"} for name in CONDITIONS for none in nothing]
    rules: list[Mapping[str, Any]] = [
        {"colour": "red"},
        {"do": "maybe"},
        {"path": "no-slash"},
        {"status": "2x"},
        {"status": "299-200"},
        *empty,
        {"rewrite_path": {"match": "(", "replace": ""}},
        {"rewrite_query": "x"},
        {"set_headers": {"Bad Name": "x"}},
        {"set_headers": {"content-length": "5"}},
        {"set_headers": {"Authorization": "${SECRET}"}},
        {"remove_headers": "User-Agent"},
    ]
    with pytest.raises(BadSettings) as caught:
        parse_rules(rules, {"SECRET": "hunter2\r\nEvil: 1"})
    assert len(caught.value.faults) == len(rules)
    assert [f"rule {number}:" in fault for number, fault in enumerate(caught.value.faults, 1)] == [
        True
    ] * len(rules)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("match", "replace", "word"),
    [
        ("(", "", "missing"),
        ("(?=a)", "", "lookaround"),
        ("(?<!a)b", "", "lookaround"),
        (r"(a)\1", "", "backreferences"),
        ("(?P<n>a)(?P=n)", "", "backreferences"),
        ("a++", "", "possessive"),
        ("(?>a)", "", "atomic"),
        (r"a\Z", "", r"\Z"),
        ("a{,3}", "", "{0,n}"),
        (r"\C", "", "characters"),
        (r"(.{300}){3}", "", "too large"),
        ("a", r"\1", "group"),
        ("(a)", r"\g<name>", "group"),
        ("a", r"\q", "replace"),
        ("a", "\\", "replace"),
    ],
)
def test_an_expression_that_cannot_be_used_is_refused_with_the_rules_number(
    match: str, replace: str, word: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BadExpression, match=re.escape(word)):
        parse_substitution(match, replace)
    with pytest.raises(BadSettings) as caught:
        parse_rules([{}, {"rewrite_path": {"match": match, "replace": replace}}], {})
    assert caught.value.faults[0].startswith("replay: rule 2: `rewrite_path`: ")
    # RE2 would log a line of its own, in another format, to stderr.
    assert capfd.readouterr().err == ""


def test_a_header_whose_variable_is_unset_stops_only_what_replays() -> None:
    rules = [{}, {"set_headers": {"Authorization": "Basic ${LOGIN}", "X-Key": "${KEY}"}}]
    parsed = parse_rules(rules, {"KEY": "hunter2"})
    with pytest.raises(BadSettings) as caught:
        require_variables(parsed)
    assert caught.value.faults == ["replay: rule 2: header Authorization: LOGIN is not in the environment"]
    require_variables(parse_rules(rules, {"KEY": "hunter2", "LOGIN": "dTpw"}))
