"""What a run will send: counted, sampled, and estimated."""

from __future__ import annotations

import random

import pytest

from app.message import RouterMessage
from consumers.replay.load import forecast
from consumers.replay.load.forecast import Forecast, forecast_window
from tests.consumers.replay.test_window import AT_MS
from tests.consumers.replay.test_window_loads import Log

HOUR = Log([number * 100 for number in range(36_000)])


def forecast_of(log: Log, share: float, count_s: float = 60.0, seed: int = 1) -> tuple[Forecast, int, int]:
    """The forecast, the true number of requests that are sent, and how many messages were looked at."""
    chance = random.Random(seed)
    is_sent: dict[str, bool] = {
        message["id"]: chance.random() < share for chunk in log.read(0, 2**62) for message in chunk
    }
    looked_at = 0

    def sent_at_ms(message: RouterMessage) -> int | None:
        nonlocal looked_at
        looked_at += 1
        return message["received_at"] if is_sent[message["id"]] else None

    found = forecast_window(log, 0, AT_MS + 7_200_000, sent_at_ms, count_s, chance.random)
    return found, sum(is_sent.values()), looked_at


def test_a_small_window_is_counted() -> None:
    found, expected, _ = forecast_of(Log([0, 100, 300, 600]), 1.0)
    assert (found.requests, found.is_exact) == (expected, True)
    assert found.span_s == pytest.approx(0.8)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.05])
def test_of_a_large_window_a_sample_is_looked_at(share: float) -> None:
    found, expected, looked_at = forecast_of(HOUR, share)
    assert found.requests == pytest.approx(expected, rel=0.02 if share > 0.1 else 0.08)
    assert found.span_s == pytest.approx(3_600, rel=0.01)
    assert not found.is_exact
    assert looked_at < forecast.EACH_MAX + 36_000 / forecast.SAMPLED
    assert not found.last_ms  # All was read, so there is nothing to correct on the way.


def test_a_window_that_takes_too_long_is_estimated_from_its_beginning() -> None:
    found, expected, looked_at = forecast_of(HOUR, 0.5, count_s=0.0)
    assert looked_at == 50
    assert found.requests == pytest.approx(expected, rel=0.5)
    assert found.span_s == pytest.approx(3_600, rel=0.01)
    assert found.last_ms == pytest.approx(AT_MS + 3_600_000, abs=1_000)  # The window reaches beyond the log.


def test_a_window_without_messages_has_nothing_to_send() -> None:
    found, _, _ = forecast_of(Log([]), 1.0)
    assert (found.requests, found.is_exact, found.per_s) == (0, True, 0.0)
