"""One line a second says that frames are not accepted, whatever the number of senders."""

from __future__ import annotations

import pytest

from drain.refusals import Refusals
from tests.drain.serving import serving


def test_a_line_says_why_and_names_frame_and_request(caplog: pytest.LogCaptureFixture) -> None:
    Refusals().say(503, "Redis does not answer", "frame-1", "req-1")
    [record] = caplog.records
    assert record.getMessage() == (
        "a frame was not accepted: "
        "status=503 frame=frame-1 request_id=req-1 unsaid=0 reason=Redis does not answer"
    )


def test_further_ones_within_the_second_are_only_counted(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 100.0
    refusals = Refusals(lambda: now_s)
    for _ in range(5):
        refusals.say(503, "busy", "f", "r")
    now_s += 1
    refusals.say(503, "busy", "f", "r")
    assert ["unsaid=0" in record.getMessage() for record in caplog.records] == [True, False]
    assert "unsaid=4" in caplog.records[1].getMessage()


def test_web_says_which_frame_it_did_not_take() -> None:
    with serving(REDIS_URL="redis://:hidden@127.0.0.1:1/0") as web:
        assert web.post(Logplex_Frame_Id="frame-77", X_Request_Id="req-42").status == 503
        web.process.wait_for_output("frame=frame-77 request_id=req-42")
        assert "hidden" not in web.process.output
