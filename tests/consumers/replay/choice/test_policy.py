"""What of the log is sent, with which headers, and why the rest is not."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping

import pytest

from app.errors import BadSettings, SameHost
from app.settings import Settings
from app.settings.replay_rules import parse_rules
from consumers.replay.choice.host_addresses import HostAddresses, Resolved
from consumers.replay.choice.policy import (
    HeaderOptions,
    ReplayPolicy,
    is_sampled,
    policy_from_settings,
    prepare,
    replay_headers,
)
from consumers.replay.choice.rules import Rules
from consumers.replay.choice.target import Target
from consumers.replay.request import Job
from tests.consumers.replay.samples import GUARD, request

TARGET = Target.parse("https://staging.example.com")
MARKED = GUARD.mark("8601b555-6a83-4c12-8269-97c8e32cdb22")


def policy(
    *rules: Mapping[str, object],
    sample: float = 1.0,
    allow_same_host: bool = False,
    forwarded: bool = False,
) -> ReplayPolicy:
    return ReplayPolicy(
        Rules(parse_rules(rules, {}), ("GET", "HEAD")),
        sample,
        HeaderOptions(forwarded=forwarded),
        allow_same_host,
        GUARD,
    )


def test_a_request_becomes_a_job_with_its_path_as_it_was() -> None:
    job = prepare(request(path="/a%2Fb?x=%20&y="), TARGET, policy())
    assert isinstance(job, Job)
    assert job.target == b"/a%2Fb?x=%20&y="
    assert dict(job.headers)["Host"] == "staging.example.com"
    assert dict(job.headers)["X-Request-Id"] == MARKED


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"method": "POST"}, "method"),
        ({"request_id": MARKED}, "replayed"),
        ({"request_id": "replay-8601b555-6a83-4c12-8269-97c8e32cdb22"}, "forged-mark"),
        ({"is_connection": True}, "connection"),
        ({"path": "@evil.com/"}, "refused-path"),
        ({"path": "/denied"}, "rule"),
    ],
)
def test_what_is_not_sent_has_its_reason(changes: dict[str, object], reason: str) -> None:
    assert prepare(request(**changes), TARGET, policy({"path": "/denied", "do": "deny"})) == reason


def test_outside_of_the_sample_nothing_is_sent() -> None:
    assert prepare(request(), TARGET, policy(sample=0.0)) == "sample"


@pytest.mark.parametrize(
    "host", ["staging.example.com", "STAGING.example.com", "staging.example.com:443", "staging.example.com."]
)
def test_the_host_that_the_lines_come_from_is_refused_as_a_target(host: str) -> None:
    with pytest.raises(SameHost, match="REPLAY_ALLOW_SAME_HOST"):
        prepare(request(host=host), TARGET, policy())
    assert isinstance(prepare(request(host=host), TARGET, policy(allow_same_host=True)), Job)


def test_the_host_that_the_lines_come_from_is_refused_as_an_ipv6_address_too() -> None:
    with pytest.raises(SameHost):
        prepare(request(host="[::1]:8080"), Target.parse("http://[::1]:8080"), policy())


def test_the_host_that_the_lines_come_from_is_refused_as_a_host_header() -> None:
    """Heroku's router goes by the header: it would be the production app that is asked."""
    by_rule = policy({"set_headers": {"host": "shop.example.com"}})
    by_setting = policy_from_settings(Settings.load({"REPLAY_HOST_HEADER": "SHOP.example.com:443"}), GUARD)
    for chosen in (by_rule, by_setting):
        with pytest.raises(SameHost, match=r"Host header.*REPLAY_ALLOW_SAME_HOST"):
            prepare(request(), TARGET, chosen)


def test_a_sample_has_its_share_and_the_same_requests_each_time() -> None:
    ids = [str(uuid.UUID(int=number * 7919)) for number in range(20_000)]
    chosen = [identity for identity in ids if is_sampled(identity, 0.1)]
    assert len(chosen) == pytest.approx(2_000, rel=0.1)
    assert chosen == [identity for identity in ids if is_sampled(identity, 0.1)]
    assert set(chosen) <= {identity for identity in ids if is_sampled(identity, 0.2)}
    assert all(is_sampled(identity, 1.0) for identity in ids)
    assert not any(is_sampled(identity, 0.0) for identity in ids)


def test_another_seed_chooses_another_sample_of_the_same_share() -> None:
    ids = [str(uuid.UUID(int=number * 7919)) for number in range(20_000)]
    without, first, second = (
        {one for one in ids if is_sampled(one, 0.1, seed)} for seed in ("", "monday", "tuesday")
    )
    for chosen in (without, first, second):
        assert len(chosen) == pytest.approx(2_000, rel=0.1)
    for one, other in ((without, first), (first, second)):
        assert len(one & other) == pytest.approx(200, rel=0.4)
    assert first == {one for one in ids if is_sampled(one, 0.1, "monday")}
    kept = [request(message_id=f"f.{number}", request_id="") for number in range(200)]
    with_seed = dataclasses.replace(policy(sample=0.5), seed="monday")
    assert [prepare(one, TARGET, with_seed) == "sample" for one in kept] == [
        not is_sampled(one.identity, 0.5, "monday") for one in kept
    ]


@pytest.mark.parametrize(
    ("only", "excluded", "sent"),
    [
        ((), (), ["/a", "/b", "/c"]),
        (("/a", "/b"), (), ["/a", "/b"]),
        ((), ("/a",), ["/b", "/c"]),
        (("/a", "/b"), ("/b", "/c"), ["/a"]),
        (("/nope",), (), []),
    ],
)
def test_only_the_routes_that_were_asked_for_are_sent(
    only: tuple[str, ...], excluded: tuple[str, ...], sent: list[str]
) -> None:
    chosen = dataclasses.replace(
        policy({"path": "/b", "rewrite_path": {"match": "b", "replace": "b"}}),
        only_routes=frozenset(only),
        exclude_routes=frozenset(excluded),
    )
    found = {name: prepare(request(path=name, route=name), TARGET, chosen) for name in ("/a", "/b", "/c")}
    assert [name for name, job in found.items() if isinstance(job, Job)] == sent
    assert {job for job in found.values() if isinstance(job, str)} <= {"route"}


def test_a_route_that_was_not_asked_for_is_no_reason_of_its_method_or_rule_but_the_guard_holds() -> None:
    chosen = dataclasses.replace(policy({"do": "deny"}, sample=0.0), exclude_routes=frozenset({"/users/:id"}))
    for changes in ({"method": "POST"}, {"is_connection": True}, {}):
        assert prepare(request(**changes), TARGET, chosen) == "route"
    with pytest.raises(SameHost):
        prepare(request(host="staging.example.com"), TARGET, chosen)


def keeping_host(**addresses: str) -> ReplayPolicy:
    """With --keep-host; `addresses`: of hosts, `_` for a dot. A host without any does not exist."""

    def look_up(host: str) -> Resolved:
        found = addresses.get(host.replace(".", "_").replace("-", "_"), "")
        if found == "no answer":
            raise OSError
        return Resolved(frozenset(found.split()), host)

    return dataclasses.replace(policy(), keep_host=True, addresses=HostAddresses(look_up))


def host_sent(one: object) -> str:
    assert isinstance(one, Job)
    return dict(one.headers)["Host"]


@pytest.mark.parametrize(
    "host", ["shop.example.com", "SHOP.example.com:8080", "shop.example.com.", "10.9.9.9", "[2001:db8::2]:81"]
)
def test_the_lines_own_host_is_sent_where_it_is_another_server(host: str) -> None:
    kept = keeping_host(staging_example_com="10.0.0.1", shop_example_com="10.0.0.2")
    assert host_sent(prepare(request(host=host), TARGET, kept)) == host


@pytest.mark.parametrize(
    "host",
    ["", "a b", "a\r\nX: 1", "\x00", "shop.example.com/path", "u:p@shop", "a..b", "x" * 300, "\udcff", "a,b"],
)
def test_a_line_without_a_valid_host_gets_the_targets(host: str) -> None:
    assert host_sent(prepare(request(host=host), TARGET, keeping_host())) == "staging.example.com"


@pytest.mark.parametrize("host", ["staging.example.com:8080", "STAGING.example.com."])
def test_the_targets_own_name_is_refused_with_the_lines_host_too(host: str) -> None:
    with pytest.raises(SameHost, match="REPLAY_ALLOW_SAME_HOST"):
        prepare(request(host=host), TARGET, keeping_host(staging_example_com="10.0.0.1"))


def test_a_host_with_an_address_of_the_target_is_refused() -> None:
    kept = keeping_host(staging_example_com="10.0.0.1 10.0.0.2", shop_example_com="10.0.0.3 10.0.0.2")
    with pytest.raises(SameHost, match=r"--keep-host.*10\.0\.0\.2.*REPLAY_ALLOW_SAME_HOST"):
        prepare(request(), TARGET, kept)
    allowed = dataclasses.replace(kept, allow_same_host=True)
    assert host_sent(prepare(request(), TARGET, allowed)) == "shop.example.com"


def test_a_host_whose_address_is_not_known_is_not_sent() -> None:
    of_host = keeping_host(staging_example_com="10.0.0.1", shop_example_com="no answer")
    of_target = keeping_host(staging_example_com="no answer", shop_example_com="10.0.0.1")
    for kept in (of_host, of_target):
        assert prepare(request(), TARGET, kept) == "unknown-address"
        assert host_sent(prepare(request(host=""), TARGET, kept)) == "staging.example.com"


def test_a_target_on_this_machine_needs_no_addresses() -> None:
    kept = keeping_host(shop_example_com="no answer", localhost="127.0.0.1 ::1")
    for url in ("http://127.0.0.1:5010", "http://[::1]", "http://localhost:81"):
        assert host_sent(prepare(request(), Target.parse(url), kept)) == "shop.example.com"


def test_a_rules_host_goes_before_the_lines_and_the_lines_before_the_settings() -> None:
    kept = keeping_host(staging_example_com="10.0.0.1", shop_example_com="10.0.0.2")
    ruled = dataclasses.replace(kept, rules=policy({"set_headers": {"Host": "ruled.example.com"}}).rules)
    assert host_sent(prepare(request(), TARGET, ruled)) == "ruled.example.com"
    with_setting = dataclasses.replace(kept, headers=HeaderOptions(host="set.example.com"))
    assert host_sent(prepare(request(), TARGET, with_setting)) == "shop.example.com"
    assert host_sent(prepare(request(host=""), TARGET, with_setting)) == "set.example.com"


def test_a_job_has_the_base_path_of_its_target() -> None:
    for url, path in (("https://a.example/base/", b"/base"), ("https://b.example", b"")):
        job = prepare(request(path="//a%2Fb?x=%20&y="), Target.parse(url), policy())
        assert isinstance(job, Job)
        assert job.target == path + b"//a%2Fb?x=%20&y="
        assert host_sent(job) == url.split("/")[2]


def test_the_settings_say_which_headers_are_sent() -> None:
    settings = Settings.load(
        {
            "REPLAY_HOST_HEADER": "shop.staging.example.com",
            "REPLAY_USER_AGENT": "our replay/1.0 (staging)",
            "REPLAY_FORWARDED": "1",
        }
    )
    job = prepare(request(), TARGET, policy_from_settings(settings, GUARD))
    assert isinstance(job, Job)
    assert list(job.headers) == [
        ("Host", "shop.staging.example.com"),
        ("User-Agent", "our replay/1.0 (staging)"),
        ("Accept", "*/*"),
        ("X-Request-Id", MARKED),
        ("X-Forwarded-For", "204.204.204.204"),
        ("X-Forwarded-Proto", "https"),
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REPLAY_HOST_HEADER", "a b"),
        ("REPLAY_HOST_HEADER", "https://a"),
        ("REPLAY_HOST_HEADER", "a\r\nX: 1"),
        ("REPLAY_USER_AGENT", "caf\u00e9"),
        ("REPLAY_USER_AGENT", "a\r\nX: 1"),
    ],
)
def test_a_header_that_would_be_none_is_a_bad_setting(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name):
        Settings.load({name: value})


def test_rules_set_and_remove_headers_but_never_the_loop_guard() -> None:
    rule = {
        "set_headers": {"User-Agent": "mine", "X-Flag": "on", "X-Request-Id": "forged-0123456789-0123456789"},
        "remove_headers": ["Accept", "X-Request-Id"],
    }
    job = prepare(request(), TARGET, policy(rule))
    assert isinstance(job, Job)
    assert [pair for pair in job.headers if pair[0] == "X-Request-Id"] == [("X-Request-Id", MARKED)]
    assert dict(job.headers) == {
        "Host": "staging.example.com",
        "X-Request-Id": MARKED,
        "User-Agent": "mine",
        "X-Flag": "on",
    }


def test_requests_without_an_id_are_told_apart_by_their_place_in_the_log() -> None:
    def sent_id(message_id: str) -> str:
        job = prepare(request(request_id="", message_id=message_id), TARGET, policy())
        assert isinstance(job, Job)
        return dict(job.headers)["X-Request-Id"]

    assert sent_id("f.0") == sent_id("f.0") != sent_id("f.1")
    sampled = [
        prepare(request(request_id="", message_id=f"f.{number}"), TARGET, policy(sample=0.5)) != "sample"
        for number in range(400)
    ]
    assert 100 < sum(sampled) < 300  # By their path alone it would be all or none.


def forwarded(**changes: object) -> dict[str, str]:
    """The headers that tell of the client."""
    found = replay_headers(request(**changes), TARGET, policy(forwarded=True))
    return {name: value for name, value in found if name.startswith("X-Forwarded-")}


def test_the_clients_address_is_passed_on_only_when_asked_for() -> None:
    plain = dict(replay_headers(request(), TARGET, policy()))
    assert not {"X-Forwarded-For", "X-Forwarded-Proto"} & plain.keys()
    assert forwarded() == {"X-Forwarded-For": "204.204.204.204", "X-Forwarded-Proto": "https"}
    assert "X-Forwarded-For" not in forwarded(fwd="1.1.1.1\r\nEvil: 1")


def test_what_the_line_does_not_say_of_the_client_is_not_sent() -> None:
    assert forwarded(fwd="", protocol="") == {}
