"""Heroku's own encoder and scanner of Logplex frames, as a Go program beside the tests.

Where Go is missing the tests that need it are skipped, in words that can't be missed; with
REQUIRE_PEERS=1 that is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

_SOURCE = Path(__file__).parent
_BINARY = _SOURCE.parents[1] / ".cache" / "peers" / "peers"


def require_go() -> str:
    """The path of the `go` command. Skips the test where there is none; fails with REQUIRE_PEERS=1."""
    return shutil.which("go") or _missing("the `go` command is not there")


@cache
def build_peer() -> Path:
    """The program of main.go, built: `encode` and `scan`. Skips or fails as `require_go`."""
    go = require_go()
    download = _run(go, "mod", "download")
    if download.returncode:
        _missing(f"its modules can't be had: {download.stderr.strip()}")
    _BINARY.parent.mkdir(parents=True, exist_ok=True)
    own = _BINARY.with_name(f"{_BINARY.name}.{os.getpid()}")
    build = _run(go, "build", "-buildvcs=false", "-o", str(own), ".")
    if build.returncode:
        pytest.fail(f"tests/peers does not build:\n{build.stderr}", pytrace=False)
    own.replace(_BINARY)  # whole at once, when several test processes build it
    return _BINARY


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=_SOURCE, capture_output=True, text=True, timeout=240, check=False)


def _missing(reason: str) -> str:
    text = f"HEROKU'S OWN ENCODER AND SCANNER WERE NOT TRIED: {reason}"
    if os.environ.get("REQUIRE_PEERS") == "1":
        pytest.fail(text, pytrace=False)
    pytest.skip(text)
