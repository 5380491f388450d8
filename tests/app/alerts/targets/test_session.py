"""What decides whom a connection trusts: made once, and never from what has changed."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import certifi
import pytest

from app.alerts.targets.session import trusting_context


def test_it_is_made_once_for_each_protocol_and_checks_certificate_and_host() -> None:
    https, smtp = trusting_context("https"), trusting_context("smtp")
    assert trusting_context("https") is https
    # urllib3 has its context offer HTTP, which a mail server may refuse.
    assert smtp is not https
    for context in (https, smtp):
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_authorities_that_were_replaced_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "authorities.pem"
    own.write_bytes(Path(certifi.where()).read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    before = trusting_context("https")
    assert trusting_context("https") is before
    os.utime(own, (1, 1))
    assert trusting_context("https") is not before
