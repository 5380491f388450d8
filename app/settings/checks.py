"""What no reader of a single setting can see: unknown names, and settings that contradict each other."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from app.settings import pem

if TYPE_CHECKING:
    from app.settings.settings import Settings

_FAMILIES = ("ALERT_", "DRAIN_", "DASHBOARD_", "REDIS_LOG_", "REPLAY_", "ROUTE_", "ROUTES_", "TAILRACE_")
"""An unknown name in one of these families is most likely a misspelt one of ours. (REDIS_ itself is not one:
platforms set other REDIS_ names.)"""


def unknown_names(environ: Mapping[str, str], known: Sequence[str]) -> list[str]:
    """A fault for each name that is most likely a misspelling of a `known` one."""
    faults = []
    for name in sorted(environ):
        if name.startswith(_FAMILIES) and name not in known:
            meant = _nearest(name, known)
            question = f" (did you mean {meant}?)" if meant else ""
            faults.append(
                f"{name} is not a setting of Tailrace{question}: "
                "`python -m app config --markdown` lists them all"
            )
    return faults


def _nearest(name: str, known: Sequence[str]) -> str:
    """The setting of its family that was most likely meant; empty where none is near."""
    # Compared without the family (ROUTE and ROUTES are one), which would make any two of one alike.
    kin = {other.partition("_")[2]: other for other in known if other[:5] == name[:5]}
    nearest = difflib.get_close_matches(name.partition("_")[2], kin, n=1)
    return kin[nearest[0]] if nearest else ""


def contradictions(settings: Settings) -> list[str]:
    """Faults of settings that contradict each other."""
    faults = []
    for user, password, names in (
        (settings.drain_user, settings.drain_password, "DRAIN_USER and DRAIN_PASSWORD"),
        (settings.dashboard_user, settings.dashboard_password, "DASHBOARD_USER and DASHBOARD_PASSWORD"),
        (
            settings.kafka_client_cert,
            settings.kafka_client_cert_key,
            "KAFKA_CLIENT_CERT and KAFKA_CLIENT_CERT_KEY",
        ),
        (
            settings.kafka_sasl_username,
            settings.kafka_sasl_password,
            "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
        ),
        (
            settings.alert_webhook_url,
            settings.alert_webhook_secret,
            "ALERT_WEBHOOK_URL and ALERT_WEBHOOK_SECRET",
        ),
    ):
        if bool(user) != bool(password):
            faults.append(f"{names} belong together: set both or neither")
    mail = (settings.alert_smtp_url, settings.alert_email_from, settings.alert_email_to)
    if any(mail) and not all(mail):
        faults.append(
            "ALERT_SMTP_URL, ALERT_EMAIL_FROM and ALERT_EMAIL_TO belong together: set all three or none"
        )
    if (
        settings.kafka_client_cert
        and settings.kafka_client_cert_key
        and not pem.is_pair(settings.kafka_client_cert, settings.kafka_client_cert_key)
    ):
        faults.append("KAFKA_CLIENT_CERT_KEY is not the key of KAFKA_CLIENT_CERT")
    if settings.kafka_sasl_mechanism and not settings.kafka_sasl_username:
        faults.append("KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD")
    if settings.kafka_sasl_username and not settings.kafka_sasl_mechanism:
        faults.append("KAFKA_SASL_USERNAME needs KAFKA_SASL_MECHANISM, e.g. SCRAM-SHA-512")
    return faults + _unknown_targets(settings)


def _unknown_targets(settings: Settings) -> list[str]:
    """A fault for each rule that would tell nobody: its target is not described."""
    if not settings.alert_rules:
        return []
    from app.alerts.targets.registry import targets_of  # As in file.py: most processes need none.

    known = targets_of(settings)
    return [
        f"alerts: rule {rule.name}: `to`: there is no target {name}: describe it under `targets:`, or set "
        "what it needs (ALERT_... in `python -m app config --markdown`)"
        for rule in settings.alert_rules
        for name in rule.to
        if name not in known
    ]
