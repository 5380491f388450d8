"""Families of Tailrace's own health, from Redis: workers, the log, losses, senders, dead letters."""

from __future__ import annotations

from drain.monitoring.family import CounterFamily, Family, GaugeFamily

REDIS_UP = GaugeFamily("tailrace_redis_up", "1 if Redis answers")
REDIS_MEMORY = GaugeFamily("tailrace_redis_memory_bytes", "Memory that Redis uses")
REDIS_LIMIT = GaugeFamily(
    "tailrace_redis_memory_limit_bytes", "maxmemory of Redis; none where it has no limit"
)

_GROUP = ("group",)
GROUP_LAG_MESSAGES = GaugeFamily("tailrace_group_lag_messages", "Messages not yet read", _GROUP)
GROUP_LAG_S = GaugeFamily("tailrace_group_lag_seconds", "Age of the newest message read", _GROUP)
GROUP_WORKERS = GaugeFamily("tailrace_group_workers", "Workers that reported within 30 s", _GROUP)
GROUP_WAITING = GaugeFamily(
    "tailrace_group_waiting", "Workers that wait because the log is unreachable", _GROUP
)
GROUP_MESSAGES = CounterFamily("tailrace_group_messages", "What a group did with messages", (*_GROUP, "what"))
LOG_LOST = CounterFamily(
    "tailrace_log_lost_messages", "Messages dropped from the log before the group had read them", _GROUP
)
LOG_FULL = CounterFamily(
    "tailrace_log_full_refusals",
    "Frames rejected because the log was full of what the group had not read",
    _GROUP,
)

LOSSES = CounterFamily("tailrace_losses", "Messages that senders reported as lost", ("app",))
OTHER_DRAINS_LOSSES = CounterFamily(
    "tailrace_other_drains_losses", "Messages that other drains of an app lost", ("app",)
)
SENDER_REPORTS = CounterFamily(
    "tailrace_sender_reports", "Errors that senders reported, other than losses", ("app", "code")
)
SENDER_FAULTS = CounterFamily(
    "tailrace_sender_faults",
    "What was wrong with requests: frames refused for good, by reason, and flaws of accepted ones",
    ("kind", "sender"),
)

DEAD_LETTERS = GaugeFamily("tailrace_dead_letters", "Dead letters kept now")
DEAD_LETTERS_BYTES = GaugeFamily("tailrace_dead_letters_bytes", "Memory used by dead letters")
DEAD_LETTERS_DROPPED = CounterFamily(
    "tailrace_dead_letters_dropped", "Dead letters dropped because there were too many"
)

LOG_BYTES = GaugeFamily("tailrace_log_bytes", "Size of the log")
LOG_LIMIT = GaugeFamily("tailrace_log_limit_bytes", "Size at which the log drops its oldest messages")
LOG_MESSAGES = GaugeFamily("tailrace_log_messages", "Messages in the log in Redis")
LOG_TRIMMED = CounterFamily(
    "tailrace_log_trimmed_messages", "Messages dropped because the log was at its limit"
)

FAMILIES: tuple[Family, ...] = (
    *(REDIS_UP, GROUP_LAG_MESSAGES, GROUP_LAG_S, GROUP_WORKERS, GROUP_WAITING, GROUP_MESSAGES),
    *(LOG_LOST, LOG_FULL, LOSSES, OTHER_DRAINS_LOSSES, SENDER_REPORTS, SENDER_FAULTS),
    *(DEAD_LETTERS, DEAD_LETTERS_BYTES, DEAD_LETTERS_DROPPED),
    *(LOG_BYTES, LOG_MESSAGES, LOG_TRIMMED, LOG_LIMIT, REDIS_MEMORY, REDIS_LIMIT),
)
