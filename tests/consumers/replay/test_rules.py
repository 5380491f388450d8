"""Rules: the first that matches decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from app.settings.replay_rules import parse_rules
from consumers.replay.rules import Decision, Rules
from tests.consumers.replay.samples import request


def decide(
    rules: Sequence[Mapping[str, Any]], environ: Mapping[str, str] | None = None, **changes: object
) -> Decision:
    return Rules(parse_rules(rules, environ or {}), ("GET", "HEAD")).decide(request(**changes))


def test_without_rules_the_method_alone_counts() -> None:
    assert decide([]).allowed
    assert decide([], method="HEAD").allowed
    assert decide([], method="POST") == Decision(False, "method", "/users/42?q=a")


def test_no_rule_allows_a_method_that_is_not_set() -> None:
    assert decide([{"method": "DELETE", "do": "allow"}], method="DELETE").reason == "method"


def test_the_first_rule_that_matches_decides() -> None:
    rules = [{"path": "/users/:id"}, {"do": "deny"}]
    assert decide(rules).allowed
    assert decide(rules, path="/orders/1").reason == "rule"


@pytest.mark.parametrize(
    ("condition", "matching", "other"),
    [
        ({"method": "get"}, {}, {"method": "HEAD"}),
        ({"path": "/users/:id"}, {}, {"path": "/users/42/posts"}),
        ({"path": ["/a", "/admin/*rest"]}, {"path": "/admin/x/y"}, {"path": "/administrator"}),
        ({"route": "/users/:id"}, {}, {"route": "/"}),
        ({"host": "shop.example.com"}, {}, {"host": "evil.example.com"}),
        ({"host": "Shop.Example.com:443"}, {}, {"host": "shop.example.com:8443"}),
        ({"host": "shop.example.com"}, {"host": "SHOP.example.com.:80"}, {"host": "shop.example.com:8080"}),
        ({"host": "[2001:DB8:0::1]"}, {"host": "[2001:db8::1]:443"}, {"host": "[2001:db8::2]"}),
        ({"app": ["shop", "blog"]}, {}, {"app": "other"}),
        ({"status": "2xx"}, {"status": 299}, {"status": 300}),
        ({"status": 404}, {"status": 404}, {"status": 405}),
        ({"status": ["500-503", "404"]}, {"status": 502}, {"status": 504}),
        ({"dyno": "web.1"}, {}, {"dyno": "web.2"}),
        ({"method": "GET", "status": "5xx"}, {"status": 500}, {"status": 200}),
    ],
)
def test_a_rule_matches_on_all_of_its_conditions(
    condition: dict[str, Any], matching: dict[str, Any], other: dict[str, Any]
) -> None:
    rules = [{**condition, "do": "deny"}]
    assert not decide(rules, **matching).allowed
    assert decide(rules, **other).allowed


@pytest.mark.parametrize(
    "path",
    [
        "/admin/x",
        "/admin/x?q=1",
        "/admin/",
        "//admin/x",
        "/./admin/x",
        "/a/../admin/x",
        "/x;/../admin/y",
        "/../../admin/x",
        "/%61dmin/x",
        "/%2e%2e/admin/x",
        "/admin%2Fx",
        "/\\admin\\x",
    ],
)
def test_what_is_denied_is_not_had_by_another_spelling(path: str) -> None:
    rules = [{"path": "/admin/*rest", "do": "deny"}]
    assert not decide(rules, path=path).allowed


@pytest.mark.parametrize("path", ["/admin", "/administrator/x", "/x/admin/y", "/x?to=/admin/x"])
def test_other_paths_are_not_denied_with_it(path: str) -> None:
    assert decide([{"path": "/admin/*rest", "do": "deny"}], path=path).allowed


def test_what_is_allowed_is_allowed_as_it_is_written() -> None:
    rules = [{"path": "/open/*rest"}, {"path": "/*rest", "do": "deny"}]
    assert decide(rules, path="/open/x").allowed
    assert not decide(rules, path="/%6fpen/x").allowed


def test_paths_and_queries_are_rewritten_by_regular_expressions() -> None:
    rules = [
        {
            "rewrite_path": {"match": "^/users/(\\d+)", "replace": "/v2/people/\\1"},
            "rewrite_query": {"match": "(^|&)q=[^&]*", "replace": ""},
        }
    ]
    assert decide(rules, path="/users/42?q=a&b=1").path == "/v2/people/42?&b=1"
    assert decide(rules, path="/users/42?q=a").path == "/v2/people/42"
    assert decide(rules, path="/users/42").path == "/v2/people/42"


def test_headers_are_set_from_the_environment_and_removed() -> None:
    rules = [
        {"set_headers": {"Authorization": "Basic ${LOGIN}", "X-Flag": "on"}, "remove_headers": ["User-Agent"]}
    ]
    decision = decide(rules, {"LOGIN": "dTpw"})
    assert decision.set_headers == (("Authorization", "Basic dTpw"), ("X-Flag", "on"))
    assert decision.remove_headers == {"user-agent"}
