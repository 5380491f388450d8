"""Rules: the first that matches decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from app.settings.replay_rules import parse_rules
from consumers.replay.choice.rules import Decision, Rules
from consumers.replay.request import request_of
from servers.messages import router_message
from tests.consumers.replay.samples import line, never, request, router_2_line

LEGACY_CAFE = line("/caf%C3%A9/42?q=%20")
ROUTER_2_CAFE = router_2_line("/caf\u00e9/42?q=%20")


def as_sent(text: str) -> str:
    """The path of a line's request."""
    found = request_of(router_message(text), lambda line: line.path, never)
    assert found is not None
    return found.path


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
        ({"route": "/caf%C3%A9/:id"}, {"route": "/caf\u00e9/:id"}, {"route": "/caf%c3%a9/:id"}),
        ({"route": "/caf%C3%A9/:id"}, {"route": "/caf%C3%A9/:id"}, {"route": "/cafe/:id"}),
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


@pytest.mark.parametrize(
    ("path", "is_allowed"),
    [
        ("/open/x", True),
        ("/%6fpen/x", True),  # Router 2.0 logs it as the one above.
        ("//open/x", False),
        ("/./open/x", False),
        ("/x/../open/x", False),
        ("/open%2Fx", False),
        ("/\\open/x", False),
    ],
)
def test_of_the_other_spellings_an_allow_covers_only_the_decoded_one(path: str, is_allowed: bool) -> None:
    rules = [{"path": "/open/*rest"}, {"path": "/*rest", "do": "deny"}]
    assert decide(rules, path=path).allowed is is_allowed


@pytest.mark.parametrize("path", ["/caf\u00e9/:id", "/caf%C3%A9/:id", "/:word/42", "/caf:rest/42"])
@pytest.mark.parametrize("action", ["allow", "deny"])
def test_a_rule_matches_the_same_request_of_both_routers(path: str, action: str) -> None:
    rules: list[dict[str, Any]] = [
        {"path": path, "do": action, "rewrite_path": {"match": "%C3%A9/", "replace": "e/"}},
        {"do": "deny" if action == "allow" else "allow"},
    ]
    found = [decide(rules, path=as_sent(line)) for line in (LEGACY_CAFE, ROUTER_2_CAFE)]
    assert found[0] == found[1]
    assert found[0].allowed is (action == "allow")
    assert found[0].path == ("/cafe/42?q=%20" if action == "allow" else "/caf%C3%A9/42?q=%20")


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
