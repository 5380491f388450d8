"""A session of requests whose connections a deadline can end, and that takes nothing from the environment.

Imported where something is sent, and only then: most processes read the settings and send nothing.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from functools import lru_cache
from typing import Any, Literal

import certifi
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from app.alerts.targets.deadline import Deadline

Speaks = Literal["https", "smtp"]


def session_for(scheme: str, deadline: Deadline) -> requests.Session:
    """For one request over `http` or `https`."""

    class Watched(HTTPConnection):
        response_class = _FinalAnswer

        def _new_conn(self) -> socket.socket:
            return deadline.watch(super()._new_conn())

    class WatchedTls(HTTPSConnection):
        response_class = _FinalAnswer

        def _new_conn(self) -> socket.socket:
            return deadline.watch(super()._new_conn())

    class Pool(urllib3.HTTPConnectionPool):
        ConnectionCls = Watched

    class TlsPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = WatchedTls

    adapter = _Adapter(max_retries=0)
    adapter.init_poolmanager(1, 1, ssl_context=trusting_context("https") if scheme == "https" else None)
    adapter.poolmanager.pool_classes_by_scheme = {"http": Pool, "https": TlsPool}
    session = requests.Session()
    session.trust_env = False  # Neither proxies nor netrc: both would get to know what is secret.
    session.adapters.clear()
    session.mount(f"{scheme}://", adapter)
    return session


def trusting_context(protocol: Speaks) -> ssl.SSLContext:
    """Checks certificate and host by the system's authorities (SSL_CERT_FILE among them) and Mozilla's.

    To read them takes 50 ms of CPU, so it is made once, and again where their files have changed. The two
    protocols share none: urllib3 makes its own offer HTTP alone, which mail servers may refuse.
    """
    paths = ssl.get_default_verify_paths()
    files = (paths.cafile, paths.capath, certifi.where())
    return _context(protocol, tuple(_version(path) for path in files if path))


@lru_cache(maxsize=4)
def _context(protocol: Speaks, versions: tuple[tuple[str, int], ...]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _version(path: str) -> tuple[str, int]:
    try:
        return path, os.stat(path).st_mtime_ns
    except OSError:
        return path, 0


class _Adapter(HTTPAdapter):
    """Certificates are checked by the context, whatever the session says."""

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        # The original has Mozilla's authorities read anew for each connection.
        conn.cert_reqs = "CERT_REQUIRED"


class _FinalAnswer(http.client.HTTPResponse):
    """http.client skips `100 Continue`, and takes `103 Early Hints` and its like for the answer, which comes
    after them (RFC 9110, section 15.2)."""

    def begin(self) -> None:
        super().begin()
        while 101 < self.status < 200:
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()
