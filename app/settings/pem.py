"""Certificates and keys as PEM text in the environment: checked when the settings are read, and
given to Python's ssl, which takes keys from files alone."""

from __future__ import annotations

import os
import ssl
import tempfile


def certificates(raw: str) -> str:
    """The text of one or more certificates. Raises ValueError when Python's ssl finds none in it.

    Env files and some platforms keep a value on one line: there, the two characters `\\n` stand for
    the ends of lines.
    """
    pem = _lines(raw)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        raise ValueError("must be a certificate in PEM, with its BEGIN and END lines") from None
    return pem


def private_key(raw: str) -> str:
    """The text of a key without a passphrase. Raises ValueError for anything else."""
    pem = _lines(raw)
    if not pem.startswith("-----BEGIN ") or "PRIVATE KEY-----" not in pem or "ENCRYPTED" in pem:
        raise ValueError("must be a private key in PEM, without a passphrase")
    return pem


def _lines(raw: str) -> str:
    return raw.replace("\\n", "\n").strip() + "\n"


def is_pair(certificate: str, key: str) -> bool:
    """True when the key is the certificate's."""
    try:
        load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate, key)
    except ssl.SSLError:
        return False
    return True


def load_pair(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Lets `context` present the certificate. Raises ssl.SSLError if the two do not match."""
    # A file that only we can read, for a moment.
    descriptor, path = tempfile.mkstemp(prefix="tailrace-", suffix=".pem")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(certificate + key)
        # Without the second argument OpenSSL would ask the terminal for a passphrase.
        context.load_cert_chain(path, password="")
    finally:
        os.unlink(path)
