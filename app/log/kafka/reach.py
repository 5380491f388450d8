"""Why no broker answers, in words for an operator.

Both client libraries try again and again, and then say no more than that time was up. So once
they have given up, each address is looked at by hand: name, port, TLS, certificates.
"""

from __future__ import annotations

import contextlib
import socket
import ssl

from app.errors import LogUnavailable
from app.log.kafka.connection import ssl_context
from app.settings import Settings

LOOK_S = 2.0
LOOK_AT = 3
"""Brokers looked at: more would rarely say more, and a worker that is told to stop waits for it."""


def no_broker_error(settings: Settings, said: str) -> LogUnavailable:
    """The error of a client that has given up and `said` no more than that."""
    return LogUnavailable(f"no Kafka broker answers: {why_unreachable(settings) or said}")


def why_unreachable(settings: Settings) -> str:
    """What the first brokers say, `host:port: reason`, with semicolons between; never a secret."""
    context = ssl_context(settings) if settings.kafka_over_tls else None
    return "; ".join(
        f"{server}: {_look(server, settings, context)}" for server in settings.kafka_servers[:LOOK_AT]
    )


def _look(server: str, settings: Settings, context: ssl.SSLContext | None) -> str:
    host, _, port = server.rpartition(":")
    host = host.strip("[]")
    try:
        with socket.create_connection((host, int(port)), timeout=LOOK_S) as connection:
            if context is None:
                return _refuses(settings)
            return _look_at_tls(connection, host, settings, context)
    except socket.gaierror:
        return "no host has this name"
    except TimeoutError:
        return f"no connection within {LOOK_S:.0f} s"
    except OSError as fault:
        return fault.strerror or type(fault).__name__


def _look_at_tls(connection: socket.socket, host: str, settings: Settings, context: ssl.SSLContext) -> str:
    try:
        # With TLS 1.3 a server refuses the client's certificate only after the handshake; one that
        # is content waits for a request.
        with (
            context.wrap_socket(connection, server_hostname=host) as secured,
            contextlib.suppress(TimeoutError),
        ):
            secured.recv(1)
    except ssl.SSLCertVerificationError as fault:
        return _distrusted(fault, settings)
    except ssl.SSLError as fault:
        if "ALERT" not in (fault.reason or ""):
            return "it does not speak TLS on this port: should KAFKA_URL start with kafka://?"
        if settings.kafka_client_cert:
            return "it rejects the certificate in KAFKA_CLIENT_CERT"
        return "it requires a client certificate: set KAFKA_CLIENT_CERT and KAFKA_CLIENT_CERT_KEY"
    return _refuses(settings)


def _distrusted(fault: ssl.SSLCertVerificationError, settings: Settings) -> str:
    reason = fault.verify_message.rstrip(".")
    if "mismatch" in reason and not settings.kafka_client_cert:
        return f"{reason}; Heroku's brokers need KAFKA_CLIENT_CERT and KAFKA_CLIENT_CERT_KEY"
    authority = "KAFKA_TRUSTED_CERT" if settings.kafka_trusted_cert else "this system; see KAFKA_TRUSTED_CERT"
    return f"its certificate is not trusted by {authority}: {reason}"


def _refuses(settings: Settings) -> str:
    """Of a broker that takes the connection: what else can be wrong."""
    if settings.kafka_sasl_mechanism:
        return (
            f"it accepts the connection, but not the {settings.kafka_sasl_mechanism} login: "
            "check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"
        )
    if not settings.kafka_over_tls:
        return "it accepts the connection but does not answer: should KAFKA_URL start with kafka+ssl://?"
    return "it accepts the connection but does not answer: does it require a login (KAFKA_SASL_MECHANISM)?"
