"""Why no broker answers, in words for an operator.

Both client libraries retry silently, and then report only that time was up. So once
they have given up, each address is probed here: name, port, TLS, certificates.
"""

from __future__ import annotations

import contextlib
import socket
import ssl

from app.errors import LogUnavailable
from app.log.kafka.connection import ssl_context
from app.settings import Settings

PROBE_TIMEOUT_S = 2.0
PROBED_MAX = 3
"""Brokers that are probed: more would rarely tell more, and a worker that is told to stop waits for it."""


def no_broker_error(settings: Settings, reason: str) -> LogUnavailable:
    """The error of a client that has given up. `reason`: its own words, for when a probe finds nothing."""
    return LogUnavailable(f"no Kafka broker answers: {why_unreachable(settings) or reason}")


def why_unreachable(settings: Settings) -> str:
    """What the first brokers say, `host:port: reason`, with semicolons between; never a secret."""
    context = ssl_context(settings) if settings.kafka_over_tls else None
    return "; ".join(
        f"{server}: {_probe(server, settings, context)}" for server in settings.kafka_servers[:PROBED_MAX]
    )


def _probe(server: str, settings: Settings, context: ssl.SSLContext | None) -> str:
    host, _, port = server.rpartition(":")
    host = host.strip("[]")
    try:
        with socket.create_connection((host, int(port)), timeout=PROBE_TIMEOUT_S) as connection:
            if context is None:
                return _why_silent(settings)
            return _probe_tls(connection, host, settings, context)
    except socket.gaierror:
        return "no host has this name"
    except TimeoutError:
        return f"no connection within {PROBE_TIMEOUT_S:.0f} s"
    except OSError as fault:
        return fault.strerror or type(fault).__name__


def _probe_tls(connection: socket.socket, host: str, settings: Settings, context: ssl.SSLContext) -> str:
    try:
        # With TLS 1.3 a server refuses the client's certificate only after the handshake; one that
        # is content waits for a request.
        with (
            context.wrap_socket(connection, server_hostname=host) as secured,
            contextlib.suppress(TimeoutError),
        ):
            secured.recv(1)
    except ssl.SSLCertVerificationError as fault:
        return _why_untrusted(fault, settings)
    except ssl.SSLError as fault:
        if "ALERT" not in (fault.reason or ""):
            return "it does not speak TLS on this port: should KAFKA_URL start with kafka://?"
        if settings.kafka_client_cert:
            return "it rejects the certificate in KAFKA_CLIENT_CERT"
        return "it requires a client certificate: set KAFKA_CLIENT_CERT and KAFKA_CLIENT_CERT_KEY"
    return _why_silent(settings)


def _why_untrusted(fault: ssl.SSLCertVerificationError, settings: Settings) -> str:
    reason = fault.verify_message.rstrip(".")
    if "mismatch" in reason and not settings.kafka_client_cert:
        return f"{reason}; Heroku's brokers need KAFKA_CLIENT_CERT and KAFKA_CLIENT_CERT_KEY"
    authority = "KAFKA_TRUSTED_CERT" if settings.kafka_trusted_cert else "this system; see KAFKA_TRUSTED_CERT"
    return f"its certificate is not trusted by {authority}: {reason}"


def _why_silent(settings: Settings) -> str:
    """Of a broker that takes the connection: what else can be wrong."""
    if settings.kafka_sasl_mechanism:
        return (
            f"it accepts the connection, but not the {settings.kafka_sasl_mechanism} login: "
            "check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"
        )
    if not settings.kafka_over_tls:
        return "it accepts the connection but does not answer: should KAFKA_URL start with kafka+ssl://?"
    return "it accepts the connection but does not answer: does it require a login (KAFKA_SASL_MECHANISM)?"
