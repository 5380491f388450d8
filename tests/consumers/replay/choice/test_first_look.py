"""A look into the window: it is short where there is something to send, else it says why there is nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from app.errors import SameHost
from app.message import RouterMessage
from app.router_line import RouterLine
from consumers.replay.choice.first_look import FirstLook, look_at, unseen_route_lines, why_nothing_is_sent
from consumers.replay.choice.policy import ReplayPolicy
from consumers.replay.choice.target import Target
from consumers.replay.request import Request, request_of
from servers.messages import router_line, router_message
from tests.consumers.replay.choice.test_policy import policy
from tests.consumers.replay.samples import line, never

TARGET = Target.parse("https://staging.example.com")
AT_S = 1_763_900_000.0


def message(text: str, app: str = "") -> RouterMessage:
    return router_message(text, AT_S, id="f.0", received_s=AT_S, app=app)


def to_request(found: RouterMessage) -> Request | None:
    def route_of(parsed: RouterLine) -> str:
        return parsed.path.partition("?")[0]

    return request_of(found, route_of, never)


class Chunks:
    """A log; notes how many chunks were read."""

    def __init__(self, *chunks: list[RouterMessage]) -> None:
        self._chunks = chunks
        self.read = 0

    def __iter__(self) -> Iterator[list[RouterMessage]]:
        for chunk in self._chunks:
            self.read += 1
            yield chunk


def look(chunks: Chunks, chosen: ReplayPolicy, app: str = "") -> FirstLook:
    return look_at(chunks, to_request, app, [TARGET], chosen)


def named(**changes: tuple[str, ...]) -> ReplayPolicy:
    return dataclasses.replace(policy(), **{name: frozenset(value) for name, value in changes.items()})  # type: ignore[arg-type]


def test_it_ends_with_the_first_request_that_would_be_sent() -> None:
    post, get = message(line("/a", method="POST")), message(line("/a"))
    chunks = Chunks([post], [post, get], [get], [get])
    found = look(chunks, policy())
    assert (found.can_send, chunks.read) == (True, 2)
    assert unseen_route_lines(found) == []


def test_an_app_that_no_request_is_of_is_named_with_those_that_there_are() -> None:
    chunks = Chunks([message(line("/a"), app=f"app-{number % 12}") for number in range(100)])
    found = look(chunks, policy(), app="nope")
    why = why_nothing_is_sent(found, "nope", policy())
    assert not found.can_send
    assert why.startswith("no request in the window is of the app 'nope'. The apps in it: app-0, app-1, ")
    assert why.endswith(" and 2 more")
    unnamed = look(Chunks([message(line("/a"))]), policy(), app="nope")
    assert why_nothing_is_sent(unnamed, "nope", policy()).endswith("leave out --app")


def test_routes_that_no_request_is_of_are_named_with_the_nearest() -> None:
    chosen = named(only_routes=("/chekout",))
    why = why_nothing_is_sent(
        look(Chunks([message(line(path)) for path in ("/checkout", "/cart", "/cart")]), chosen), "", chosen
    )
    assert why == (
        "no request in the window is of --only-route /chekout. The routes in it: /cart, /checkout. "
        "Did you mean /checkout?"
    )


def test_a_route_that_is_not_there_is_said_beside_one_that_is() -> None:
    for chosen in (
        named(only_routes=("/cart", "/chekout")),
        named(exclude_routes=("/chekout",)),
    ):
        chunks = Chunks([message(line("/cart"))], [message(line("/checkout"))])
        found = look(chunks, chosen)
        assert found.can_send
        assert unseen_route_lines(found) == [
            "no request in the window is of the route /chekout. Did you mean /checkout?"
        ]


def test_either_spelling_of_a_route_is_enough() -> None:
    chosen = named(only_routes=("/caf%C3%A9", "/caf\u00e9"))
    for spelling in chosen.only_routes:
        chunks = Chunks([message(line(spelling))], [message(line("/b"))])
        assert unseen_route_lines(look(chunks, chosen)) == []
        assert chunks.read == 1


def test_the_baseline_is_guarded_as_the_target_is() -> None:
    baseline = Target.parse("https://shop.example.com")
    with pytest.raises(SameHost):
        look_at(
            [[message(router_line("/a", host="shop.example.com"))]],
            to_request,
            "",
            [TARGET, baseline],
            policy(),
        )


def test_it_does_not_look_for_a_route_for_long() -> None:
    now_s = iter(range(0, 1_000, 4))
    chunks = Chunks(*[[message(line("/a"))] for _ in range(50)])
    chosen = named(exclude_routes=("/b",))
    found = look_at(chunks, to_request, "", [TARGET], chosen, clock=lambda: float(next(now_s)))
    assert chunks.read < 6
    assert unseen_route_lines(found) == [
        f"no request in the window's first {chunks.read} lines is of the route /b"
    ]


def test_where_everything_is_left_out_the_reasons_are_named_with_their_settings() -> None:
    chosen = policy({"path": "/admin", "do": "deny"})
    lines = [line("/a", method="POST")] * 3 + [
        line("/b", method="DELETE"),
        line("/admin"),
        "at=info status=200",
    ]
    found = look(Chunks([message(text) for text in lines]), chosen)
    assert why_nothing_is_sent(found, "", chosen) == (
        "of 6 requests in the window none would be sent: method (4): REPLAY_METHODS does not have POST, "
        "DELETE, rule (1): by a rule of TAILRACE_CONFIG, no-path (1)"
    )


@pytest.mark.parametrize("names", [5_000])
def test_what_is_remembered_of_hostile_lines_is_bounded(names: int) -> None:
    lines = [line(f"/{number}", method=f"M{number}") for number in range(names)]
    found = look(Chunks([message(text, app=f"a{number}") for number, text in enumerate(lines)]), policy())
    assert max(len(found.apps), len(found.routes), len(found.methods)) <= 1_000
    assert len(why_nothing_is_sent(found, "", policy())) < 500
