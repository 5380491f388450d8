"""A real Prometheus that scrapes, keeps and evaluates, of Debian's package `prometheus`."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlencode

import yaml

from servers.local_server import LocalServer
from servers.ports import free_port


class PrometheusServer(LocalServer):
    """One on loopback."""

    def __init__(self, binary: str, config: Mapping[str, Any]) -> None:
        super().__init__("prometheus", start_s=30, stop_s=10)
        self._binary = binary
        self._config = config
        self.port = free_port()

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Returns once it answers."""
        config = self._folder / "prometheus.yml"
        config.write_text(yaml.safe_dump(dict(self._config)), "utf-8")
        self._launch(
            [
                self._binary,
                f"--config.file={config}",
                f"--storage.tsdb.path={self._folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--log.level=warn",
            ]
        )

    def ask(self, path: str, **parameters: str) -> Any:
        """The `data` of an answer of its API. Fails with its error."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", f"/api/v1/{path}?{urlencode(parameters)}")
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        assert answer["status"] == "success", f"{parameters}: {answer.get('error')}"
        return answer["data"]

    def values(self, expr: str) -> list[dict[str, Any]]:
        """The series of an expression now: `metric`, its labels, and `value`."""
        found: list[dict[str, Any]] = self.ask("query", query=expr)["result"]
        return found

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/-/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
