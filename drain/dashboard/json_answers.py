"""Answers of the API in JSON."""

from __future__ import annotations

import orjson
from flask import Response

from drain.dashboard.endpoint import Loaded
from drain.dashboard.parameters import Parameters
from drain.dashboard.response_cache import CachedResponse, cached_response


def json_response(content: object, status: int = 200) -> Response:
    """Content as JSON, not to be cached by anyone."""
    return Response(
        orjson.dumps(content), status, mimetype="application/json", headers={"Cache-Control": "no-store"}
    )


def stamped(loaded: Loaded, parameters: Parameters, kept_s: float) -> CachedResponse:
    """The JSON of a dataclass, with `at_ms` added, when it was read, and `refresh_s`, after how
    many seconds it is worth asking again."""
    stamp = orjson.dumps({"at_ms": int(loaded.at_s * 1000), "refresh_s": round(kept_s, 1)})
    return cached_response(orjson.dumps(loaded.found)[:-1] + b"," + stamp[1:])


def plain(loaded: Loaded, parameters: Parameters, kept_s: float) -> CachedResponse:
    """The JSON of what was found, and nothing else."""
    return cached_response(orjson.dumps(loaded.found))
