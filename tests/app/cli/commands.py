"""Runs a command of `python -m app` as a user does."""

from __future__ import annotations

import os
import subprocess
import sys

from servers.processes import ROOT


def run_command(redis_url: str, *words: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of the command with nothing set but REDIS_URL."""
    done = subprocess.run(
        [sys.executable, "-m", "app", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "REDIS_URL": redis_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr
