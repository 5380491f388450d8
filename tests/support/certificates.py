"""Certificates for the tests, made by openssl: an authority, and what it signs."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

VALID_DAYS = "2"
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key: as files, and as the PEM text that an environment holds."""

    path: Path
    key_path: Path

    @property
    def pem(self) -> str:
        return self.path.read_text("ascii")

    @property
    def key_pem(self) -> str:
        return self.key_path.read_text("ascii")


class Authority:
    """A certificate authority of its own; its files are in `folder`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self.certificate = self._make(f"{name} authority", ["-addext", "basicConstraints=critical,CA:TRUE"])

    def sign(self, common_name: str, names: Sequence[str] = ()) -> Certificate:
        """A certificate for a server or a client; `names` as openssl writes them: `IP:127.0.0.1`."""
        alternatives = ["-addext", f"subjectAltName={','.join(names)}"] if names else []
        issuer = ["-CA", str(self.certificate.path), "-CAkey", str(self.certificate.key_path)]
        return self._make(common_name, ["-addext", "basicConstraints=CA:FALSE", *alternatives, *issuer])

    def _make(self, common_name: str, more: Sequence[str]) -> Certificate:
        stem = f"{self._name}-{common_name}".replace(" ", "-")
        made = Certificate(self._folder / f"{stem}.pem", self._folder / f"{stem}.key")
        subprocess.run(
            [
                *("openssl", "req", "-x509", *NEW_KEY, "-days", VALID_DAYS, "-subj", f"/CN={common_name}"),
                *("-keyout", str(made.key_path), "-out", str(made.path), *more),
            ],
            check=True,
            capture_output=True,
            timeout=30,
        )
        return made
