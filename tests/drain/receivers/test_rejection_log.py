"""One line a second for each cause says that frames are rejected, whatever the number of senders."""

from __future__ import annotations

import pytest

from drain.receivers.rejection_log import CAUSES_MAX, RejectionLog
from tests.drain.serving import serving


def test_a_line_says_why_and_names_frame_and_request(caplog: pytest.LogCaptureFixture) -> None:
    RejectionLog().record(503, "Redis does not answer", "frame-1", "req-1")
    [record] = caplog.records
    assert record.getMessage() == (
        "frame rejected: status=503 frame=frame-1 request_id=req-1 suppressed=0 reason=Redis does not answer"
    )


def test_further_ones_within_the_second_are_only_counted(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 100.0
    rejections = RejectionLog(lambda: now_s)
    for _ in range(5):
        rejections.record(503, "busy", "f", "r")
    now_s += 1
    rejections.record(503, "busy", "f", "r")
    assert ["suppressed=0" in record.getMessage() for record in caplog.records] == [True, False]
    assert "suppressed=4" in caplog.records[1].getMessage()


def test_each_cause_within_the_second_has_a_line_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    rejections = RejectionLog(lambda: 100.0)
    causes = [(503, "busy"), (503, "Redis does not answer"), (401, "wrong"), (413, "the body is too large")]
    for status, reason in causes * 3:
        rejections.record(status, reason, "f", "r")
    logged_status = [record.getMessage() for record in caplog.records]
    assert len(logged_status) == len(causes)
    for line, (status, reason) in zip(logged_status, causes, strict=True):
        assert f"status={status} " in line
        assert line.endswith(f"suppressed=0 reason={reason}")


def test_what_was_suppressed_is_counted_for_its_status(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 100.0
    rejections = RejectionLog(lambda: now_s)
    for status in (503, 401, 401, 401):
        rejections.record(status, "no", "f", "r")
    now_s += 1
    for status in (503, 401):
        rejections.record(status, "no", "f", "r")
    assert ["suppressed=2" in record.getMessage() for record in caplog.records] == [False, False, False, True]


def test_no_number_of_reasons_makes_more_lines_or_hides_another_status(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rejections = RejectionLog(lambda: 100.0)
    for number in range(100):
        rejections.record(400, f"malformed in way {number}", "f", "r")
    rejections.record(503, "Redis does not answer", "f", "r")
    assert len(caplog.records) == CAUSES_MAX + 1
    assert caplog.records[-1].getMessage().endswith("reason=Redis does not answer")


def test_web_says_which_frame_it_did_not_take() -> None:
    with serving(REDIS_URL="redis://:hidden@127.0.0.1:1/0") as web:
        assert web.post(Logplex_Frame_Id="frame-77", X_Request_Id="req-42").status == 503
        web.process.wait_for_output("frame=frame-77 request_id=req-42")
        assert "hidden" not in web.process.output
