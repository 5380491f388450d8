"""JSON as it is sent: UTF-8, compact."""

from __future__ import annotations

import json
from typing import Any


def json_bytes(content: Any) -> bytes:
    """Half surrogates, which are no UTF-8, must be gone from it (form.py)."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
