"""A session of requests whose connections a deadline can end, and that takes nothing from the environment.

Imported where something is sent, and only then: most processes read the settings and send nothing.
"""

from __future__ import annotations

import socket
import ssl

import certifi
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from app.alerts.targets.deadline import Deadline


def session_for(scheme: str, deadline: Deadline) -> requests.Session:
    """For one request over `http` or `https`."""

    class Watched(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return deadline.watch(super()._new_conn())

    class WatchedTls(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return deadline.watch(super()._new_conn())

    class Pool(urllib3.HTTPConnectionPool):
        ConnectionCls = Watched

    class TlsPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = WatchedTls

    adapter = HTTPAdapter(max_retries=0)
    adapter.init_poolmanager(1, 1, ssl_context=trusting_context() if scheme == "https" else None)
    adapter.poolmanager.pool_classes_by_scheme = {"http": Pool, "https": TlsPool}
    session = requests.Session()
    session.trust_env = False  # Neither proxies nor netrc: both would get to know what is secret.
    session.adapters.clear()
    session.mount(f"{scheme}://", adapter)
    return session


def trusting_context() -> ssl.SSLContext:
    """Checks certificate and host by the system's authorities (SSL_CERT_FILE among them) and Mozilla's."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
