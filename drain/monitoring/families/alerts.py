"""Families of alerts by rules: what fires, whether anything judges, and how messages get to targets."""

from __future__ import annotations

from drain.monitoring.family import CounterFamily, Family, GaugeFamily

_SUBJECT = ("rule", "app")
_TARGET = ("target",)

FIRING = GaugeFamily("tailrace_alerts_firing", "Alerts that fire, of an app or its routes", _SUBJECT)
PENDING = GaugeFamily(
    "tailrace_alerts_pending", "Alerts whose condition holds, but not for long enough yet", _SUBJECT
)
EVALUATED_AT = GaugeFamily("tailrace_alerts_evaluated_timestamp_seconds", "When rules were judged last")
COMPLETE = GaugeFamily("tailrace_alerts_complete", "1 if the figures were complete then, else 0")

WAITING = GaugeFamily("tailrace_alert_messages_waiting", "Messages that a target has not taken yet", _TARGET)
GIVEN_UP = CounterFamily(
    "tailrace_alert_messages_given_up", "Messages that a target never took, after ten minutes", _TARGET
)
DELIVERED_AT = GaugeFamily(
    "tailrace_alert_delivered_timestamp_seconds", "When a target took a message last", _TARGET
)

FAMILIES: tuple[Family, ...] = (
    *(FIRING, PENDING, EVALUATED_AT, COMPLETE),
    *(WAITING, GIVEN_UP, DELIVERED_AT),
)
