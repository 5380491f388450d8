"""Families of what `web` counts itself as frames arrive: those of the dyno that answers, since it started."""

from __future__ import annotations

from drain.monitoring.family import CounterFamily, Family, GaugeFamily, HistogramFamily


def _counter(name: str, help: str, *labels: str) -> CounterFamily:
    return CounterFamily(f"tailrace_drain_{name}", help, labels)


FRAMES = _counter("frames", "Frames accepted: safe in the log")
ANSWERS = _counter("answers", "Answers to senders", "status")
MESSAGES = _counter("lines", "Messages in those frames, from any process of the app")
ROUTER_MESSAGES = _counter("router_lines", "Router lines written to the log")
PLATFORM_MESSAGES = _counter("platform_messages", "Messages of the platform written to the log")
DUPLICATES = _counter("duplicate_frames", "Frames that were in the log already (Redis only)")
MALFORMED = _counter("malformed", "Broken bodies and unreadable messages", "what")
MISCOUNTED = _counter("miscounted", "Frames with more or fewer messages than declared")
LOST = _counter("lost_messages", "Messages that senders report as lost on the way", "code")
BYTES = _counter("bytes", "Bytes of accepted frames, unpacked")
IN_FLIGHT = GaugeFamily("tailrace_drain_in_flight", "Requests of senders being handled")
APPEND_S = HistogramFamily("tailrace_drain_append_seconds", "Time until the log acknowledged a frame")

FAMILIES: tuple[Family, ...] = (
    *(FRAMES, ANSWERS, MESSAGES, ROUTER_MESSAGES, PLATFORM_MESSAGES, DUPLICATES),
    *(MALFORMED, MISCOUNTED, LOST, BYTES, IN_FLIGHT, APPEND_S),
)
