"""Who may write and who may look."""

from __future__ import annotations

import hmac
from base64 import b64encode

import pytest
from flask import Request
from werkzeug.datastructures import Authorization
from werkzeug.test import EnvironBuilder

from app.settings import Settings
from drain.auth import BasicAuth, app_in_url, app_of
from servers.ports import free_port
from servers.processes import Processes, wait_until

PAIRS = [("shop", "correct horse"), ("shop-new", "battery:staple"), ("übung", "pässwörd☃")]


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def request(authorization: str | None) -> Request:
    headers = [] if authorization is None else [("Authorization", authorization)]
    return Request(EnvironBuilder(method="POST", path="/logs", headers=headers).get_environ())


@pytest.mark.parametrize(("user", "password"), PAIRS)
def test_each_of_several_pairs_is_let_in(user: str, password: str) -> None:
    assert BasicAuth(PAIRS).authenticates(request(basic(user, password)))


def test_the_scheme_is_known_in_any_case() -> None:
    assert BasicAuth(PAIRS).authenticates(request(basic(*PAIRS[0]).replace("Basic", "bAsIc")))


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic !!!not-base64!!!",
        "Basic " + b64encode(b"shop").decode(),
        "Basic " + b64encode(b"shop:\xff\xfe").decode(),
        "Bearer correct horse",
        "Digest username=shop",
        basic("shop", ""),
        basic("", ""),
        basic("shop", "correct horse "),
        basic("shop", "battery:staple"),
        basic("shop-new", "correct horse"),
        basic("SHOP", "correct horse"),
        basic("shopcorrect", " horse"),
        basic("shop", "x" * 5000),
    ],
)
def test_anyone_else_is_not(authorization: str | None) -> None:
    assert not BasicAuth(PAIRS).authenticates(request(authorization))


def test_a_door_without_pairs_is_open() -> None:
    assert BasicAuth([]).authenticates(request(None))


def test_all_pairs_are_compared_in_constant_time_whichever_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def noting(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return real(one, other)

    auth = BasicAuth(PAIRS)
    monkeypatch.setattr(hmac, "compare_digest", noting)
    for authorization in (basic(*PAIRS[0]), basic("nobody", "x" * 1000)):
        compared.clear()
        auth.authenticates(request(authorization))
        assert compared == [(64, 64)] * len(PAIRS)


@pytest.mark.parametrize("pair", [("käse", "日本"), ("\udcff", "\ud800"), ("", "token"), ("user", "")])
def test_a_pair_may_have_any_characters(pair: tuple[str, str]) -> None:
    auth = BasicAuth([pair])
    for offered in (pair, ("x", pair[1]), (pair[0], "x")):
        given = request(None)
        given.authorization = Authorization("basic", {"username": offered[0], "password": offered[1]})
        assert auth.authenticates(given) is (offered == pair)


def test_a_pair_without_user_or_password_is_that_of_empty_ones() -> None:
    given = request(None)
    given.authorization = Authorization("basic", {})
    assert BasicAuth([("", "")]).authenticates(given)
    assert not BasicAuth([("XXXX", "")]).authenticates(given)
    assert not BasicAuth([("", "XXXX")]).authenticates(given)


def test_credentials_of_another_scheme_are_none() -> None:
    given = request(None)
    given.authorization = Authorization("digest", {"username": "shop", "password": "correct horse"})
    assert not BasicAuth(PAIRS).authenticates(given)


def test_a_token_of_any_characters_is_no_error() -> None:
    for token in ("\ud800", "\udcff"):
        assert app_of({"d.aaaa": "shop"}, token) is None


TOKENS = {"d.aaaa": "shop", "d.bbbb": "blog"}


def test_a_drain_token_names_its_app() -> None:
    assert app_of(TOKENS, "d.bbbb") == "blog"


@pytest.mark.parametrize("token", ["", "d.", "d.aaa", "d.aaaab", "D.AAAA", "d.cccc", "d.ä"])
def test_an_unknown_token_has_no_app(token: str) -> None:
    assert app_of(TOKENS, token) is None


def test_without_a_list_any_token_may_write_and_names_no_app() -> None:
    assert app_of({}, "d.anything") == ""
    assert app_of({}, "") == ""


NAMED = {**TOKENS, "app=vault": "vault"}


@pytest.mark.parametrize(
    ("token", "named", "app"),
    [
        ("", "vault", "vault"),
        ("", "shop", None),
        ("", "", None),
        ("d.aaaa", "vault", "shop"),
        ("d.cccc", "vault", None),
        ("app=vault", "", None),
        ("app=vault", "vault", None),
    ],
)
def test_an_entry_for_an_app_admits_drains_without_a_token_that_name_it(
    token: str, named: str, app: str | None
) -> None:
    assert app_of(NAMED, token, named) == app


def test_without_a_list_the_url_names_the_app() -> None:
    assert app_of({}, "", "shop") == app_of({}, "d.anything", "shop") == "shop"


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ([], ""),
        (["shop"], "shop"),
        (["a", "a"], "a"),
        (["a", "b"], None),
        ([""], None),
        (["a b"], None),
        (["x" * 65], None),
        (["shop\n"], None),
        (["\ud800"], None),
    ],
)
def test_a_url_gives_one_name_or_none(values: list[str], name: str | None) -> None:
    assert app_in_url(values) == name


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({}, "127.0.0.1"),
        ({"DRAIN_TOKENS": "d.aaaa=shop"}, "127.0.0.1"),
        ({"DASHBOARD_USER": "me", "DASHBOARD_PASSWORD": "x"}, "127.0.0.1"),
        ({"DRAIN_USER": "shop", "DRAIN_PASSWORD": "x"}, "0.0.0.0"),
        ({"DRAIN_CREDENTIALS": "shop:x"}, "0.0.0.0"),
        ({"DRAIN_AUTH": "none"}, "0.0.0.0"),
    ],
)
def test_other_machines_reach_it_only_with_credentials_or_by_order(
    environ: dict[str, str], host: str
) -> None:
    assert Settings.load(environ).bind_host == host


def listening(port: int) -> str:
    """The local addresses that listen on a port, as Linux lists them."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    return " ".join(row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}"))


def test_the_process_itself_listens_on_loopback_alone_without_credentials() -> None:
    port = free_port()
    with Processes({"REDIS_URL": "redis://127.0.0.1:1/0", "WEB_CONCURRENCY": "1"}) as processes:
        processes.start_web(port)
        assert listening(port) == f"0100007F:{port:04X}"


def test_a_dyno_that_nobody_could_reach_does_not_start() -> None:
    with Processes({"REDIS_URL": "redis://127.0.0.1:1/0", "DYNO": "web.1"}) as processes:
        web = processes.start("web", PORT=str(free_port()))
        wait_until(lambda: web.popen.poll() is not None, "end of web")
        assert web.popen.returncode != 0
        assert "DRAIN_USER and DRAIN_PASSWORD are missing" in web.output
        assert "Traceback" not in web.output


def test_half_of_a_pair_is_said_before_any_worker_starts() -> None:
    with Processes({"DRAIN_USER": "shop"}) as processes:
        web = processes.start("web", PORT=str(free_port()))
        wait_until(lambda: web.popen.poll() is not None, "end of web")
        assert web.popen.returncode != 0
        assert "DRAIN_USER and DRAIN_PASSWORD belong together" in web.output
        assert "Traceback" not in web.output
        assert "Booting worker" not in web.output
