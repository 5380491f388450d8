"""A kind of target that posts the message's id and words as JSON: quick, and nothing but HTTP."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from app.alerts.message import Message
from app.alerts.targets.target import DeliveryFailed, Target
from app.settings import Settings


class Posting:
    """For tests of what sends, whatever it sends to."""

    name = "posting"

    def from_file(self, name: str, entry: Mapping[str, Any], environ: Mapping[str, str]) -> Target:
        raise NotImplementedError

    def from_settings(self, settings: Settings) -> Target | None:
        raise NotImplementedError

    def send(self, target: Target, message: Message, timeout_s: float) -> None:
        parts = urlsplit(target.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
        try:
            words = {"id": message.id, "kind": message.kind, "title": message.title, "to": message.to}
            connection.request("POST", parts.path, orjson.dumps(words))
            answer = connection.getresponse()
            if answer.status >= 400:
                after = answer.getheader("Retry-After")
                raise DeliveryFailed(
                    f"it answered {answer.status}",
                    is_final=answer.status == 410,
                    after_s=float(after) if after else None,
                )
        except OSError as fault:
            raise DeliveryFailed(type(fault).__name__) from None
        finally:
            connection.close()


KINDS = {"posting": Posting()}


def target(url: str, name: str = "ops") -> Target:
    return Target(name, "posting", "127.0.0.1", url=f"{url}/hook?token=very-secret")
