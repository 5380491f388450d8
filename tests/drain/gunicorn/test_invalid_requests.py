"""gunicorn's lines about requests that are no HTTP: few, short, and none is forgotten."""

from __future__ import annotations

import logging

import pytest

from drain.gunicorn.invalid_requests import LOGGED_MAX_CHARS, InvalidRequests


class Clock:
    """A clock that only moves when a test moves it."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock, caplog: pytest.LogCaptureFixture) -> logging.Logger:
    """A logger with the filter and nothing else."""
    logger = logging.Logger("gunicorn.error")
    logger.addFilter(InvalidRequests(clock))
    logger.addHandler(caplog.handler)
    return logger


def test_one_line_a_second_says_how_many_were_left_out(
    log: logging.Logger, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        log.warning("Invalid request from ip=1.2.3.4: bad")
    clock.now_s += 1
    log.warning("Invalid request from ip=5.6.7.8: bad")
    assert caplog.messages == [
        "Invalid request from ip=1.2.3.4: bad suppressed=0",
        "Invalid request from ip=5.6.7.8: bad suppressed=4",
    ]


def test_a_long_line_is_cut_and_percent_signs_are_text(
    log: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    log.warning("Invalid request from ip=1.2.3.4: %s" + "%s" * 1000, *["x"] * 1001)
    (line,) = caplog.messages
    assert len(line) == LOGGED_MAX_CHARS + len(" suppressed=0")


def test_other_lines_pass(log: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(5):
        log.warning("Worker (pid:%d) exited", number)
    assert len(caplog.messages) == 5
