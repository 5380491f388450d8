"""promtool, of Debian's package `prometheus`: it parses rules, runs their tests, and reads metrics."""

from __future__ import annotations

import shutil
import subprocess

from tests.conftest import skip_or_fail


def binary(name: str) -> str:
    """The path of `promtool` or `prometheus`; skips, or fails where peers are required."""
    found = shutil.which(name)
    if found is None:
        skip_or_fail("promtool", f"{name} is missing: apt-get install --no-install-recommends prometheus")
    return found


def promtool(*words: str, text: str = "") -> None:
    """Fails with what promtool says, unless all is well. `text`: its standard input."""
    command = [binary("promtool"), *words]
    done = subprocess.run(command, input=text, text=True, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
