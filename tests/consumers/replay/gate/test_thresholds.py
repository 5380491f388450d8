"""The language of thresholds: what is read, and what is refused with what to write."""

from __future__ import annotations

import pytest

from consumers.replay.gate.thresholds import SENT, BadThreshold, Threshold, parse_threshold, with_sent


@pytest.mark.parametrize(
    ("text", "threshold"),
    [
        ("p95>+20%", Threshold("p95>+20%", "p95", 0.2, "%", True)),
        ("p50 > +100ms", Threshold("p50 > +100ms", "p50", 100, "ms", True)),
        ("p99>500ms", Threshold("p99>500ms", "p99", 500, "ms", False)),
        ("status-changed>1%", Threshold("status-changed>1%", "status-changed", 0.01, "%", False)),
        ("errors>0.5%", Threshold("errors>0.5%", "errors", 0.005, "%", False)),
        ("body-changed>1%", Threshold("body-changed>1%", "body-changed", 0.01, "%", False)),
        ("errors>0%", Threshold("errors>0%", "errors", 0, "%", False)),
        ("late>1s", Threshold("late>1s", "late", 1000, "ms", False)),
        ("late > 250 ms", Threshold("late > 250 ms", "late", 250, "ms", False)),
        ("p95>1.5s", Threshold("p95>1.5s", "p95", 1500, "ms", False)),
        ("p95>+0.2s", Threshold("p95>+0.2s", "p95", 200, "ms", True)),
        ("sent<95%", Threshold("sent<95%", "sent", 0.95, "%", False)),
    ],
)
def test_thresholds_are_parsed(text: str, threshold: Threshold) -> None:
    assert parse_threshold(text) == threshold


@pytest.mark.parametrize(
    "text",
    [
        *("", "p95", "p95<20%", "p95>20%", "p42>+1%", "errors>5ms", "errors>+5%", "p95>+x%", "p95>+1e3%"),
        *("late<1s", "late>1m", "p95>+\u0665%", "p95>+" + "9" * 400 + "%", "p95>=5ms", "p95>-5%"),
        *("sent", "sent<95ms"),
    ],
)
def test_a_bad_threshold_is_refused_with_examples_of_good_ones(text: str) -> None:
    with pytest.raises(BadThreshold, match="--fail-if"):
        parse_threshold(text)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("p95>20%", "--fail-if 'p95>20%': write +20% for slower than the original"),
        ("errors>5ms", "--fail-if 'errors>5ms': errors is a share, such as errors>1%"),
        (
            "status-changed>+5%",
            "--fail-if 'status-changed>+5%': status-changed is a share, such as status-changed>1%",
        ),
        (
            "fast",
            "--fail-if 'fast': must be like 'p95>+20%', 'p50>+100ms', 'p99>500ms', 'late>1s', "
            "'status-changed>1%', 'errors>0.5%', 'body-changed>1%' or 'sent<95%'",
        ),
        ("sent>95%", "--fail-if 'sent>95%': write sent<95%"),
        ("p95<+5%", "--fail-if 'p95<+5%': only sent takes '<': write p95>+5%"),
        ("late>5%", "--fail-if 'late>5%': late is a time, such as late>1s or late>500ms"),
        ("late>+1s", "--fail-if 'late>+1s': late is a time, such as late>1s or late>500ms"),
        ("sent<1s", "--fail-if 'sent<1s': sent is a share, such as sent<95%"),
        ("errors>101%", "--fail-if 'errors>101%': a share is at most 100%"),
        (
            "p95>+0%",
            "--fail-if 'p95>+0%': must be above 0, because times vary by chance: write p95>+20%",
        ),
        ("p95>0ms", "--fail-if 'p95>0ms': must be above 0, because times vary by chance: write p95>100ms"),
    ],
)
def test_a_bad_threshold_is_answered_with_what_to_write(text: str, advice: str) -> None:
    with pytest.raises(BadThreshold) as caught:
        parse_threshold(text)
    assert str(caught.value) == advice


def test_what_was_sent_is_always_looked_at_unless_the_user_says_how() -> None:
    slower, own = parse_threshold("p95>+20%"), parse_threshold("sent<50%")
    assert with_sent([slower]) == [slower, SENT]
    assert with_sent([own, slower]) == [own, slower]
    # One that reads the same is the user's own all the same: it fails a run.
    written = parse_threshold("sent<95%")
    assert with_sent([written])[0] is not SENT


def test_spaces_around_a_threshold_do_not_matter() -> None:
    assert parse_threshold("  p95 > 500 ms ") == Threshold("p95 > 500 ms", "p95", 500, "ms", False)
