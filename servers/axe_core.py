"""Fetches axe-core, which finds faults of accessibility in a page, once: `python -m servers.axe_core`.

It comes from npm, by npm's own configuration; version and hash are pinned here. Only tests use it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

CACHE = Path(__file__).parents[1] / ".cache"
VERSION = "4.14.1"
INTEGRITY = "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
"""Of the package, as a lock file of npm has it."""
SCRIPT = "package/axe.min.js"
FETCH_TIMEOUT_S = 120


class NoAxe(RuntimeError):
    """The package cannot be had on this machine; says what is missing."""


def axe_script() -> str:
    """The source of axe-core, for a browser; fetched if it is not there. Raises NoAxe."""
    package = CACHE / f"axe-core-{VERSION}.tgz"
    if not package.exists():
        _fetch(package)
    _check(package)
    with tarfile.open(package) as archive:
        script = archive.extractfile(SCRIPT)
        assert script is not None, f"{SCRIPT} is not a file"
        return script.read().decode()


def _fetch(package: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NoAxe("npm is missing (Debian: apt-get install npm); it fetches axe-core once")
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="axe-", dir=CACHE) as folder:
        try:
            done = subprocess.run(
                [npm, "pack", f"axe-core@{VERSION}", "--json", "--pack-destination", folder],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=FETCH_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NoAxe(f"npm did not fetch axe-core within {FETCH_TIMEOUT_S} s") from None
        if done.returncode:
            raise NoAxe(f"npm did not fetch axe-core: {_reason(done.stdout) or done.stderr[-300:].strip()}")
        (fetched,) = Path(folder).glob("*.tgz")
        _check(fetched)
        fetched.replace(package)  # Whole at once, when several test processes fetch it.


def _reason(output: str) -> str:
    try:
        return str(json.loads(output)["error"]["summary"]).splitlines()[0]
    except (ValueError, KeyError, TypeError, IndexError):
        return ""


def _check(package: Path) -> None:
    found = "sha512-" + base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    if found != INTEGRITY:
        raise NoAxe(
            f"{package.name} is not the one whose hash is pinned: remove it, and look where it came from"
        )


if __name__ == "__main__":
    try:
        print(f"axe-core {VERSION}: {len(axe_script()):,} characters")
    except NoAxe as fault:
        sys.exit(f"no axe-core: {fault}")
