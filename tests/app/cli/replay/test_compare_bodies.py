"""`--compare-bodies` as a person runs it: what it needs, what it says, and what it never tells."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

import pytest
import redis

from app.settings import Settings
from app.store import replay
from tests.app.cli.replay.test_command import environ, finished
from tests.consumers.replay.samples import append, line
from tests.support.target import RecordingTarget, SeenRequest, answer

__all__ = ["environ"]  # A fixture.


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--compare-bodies"], "--compare-bodies needs --baseline URL"),
        (["--baseline", "http://127.0.0.1:1"], "body-changed needs --compare-bodies"),
    ],
)
def test_a_comparison_that_lacks_a_part_is_bad_usage(
    words: list[str], fault: str, environ: dict[str, str]
) -> None:
    if "--compare-bodies" not in words:
        words = [*words, "--fail-if", "body-changed>1%"]
    code, _, err = finished(environ, "--from", "5m", "--to", "http://127.0.0.1:1", *words)
    assert code == 2
    assert fault in err


def test_values_of_answers_are_told_nowhere(
    environ: dict[str, str], redis_client: redis.Redis, tmp_path: Path
) -> None:
    def serving(connection: object, seen: SeenRequest) -> bool:
        secret = f"hunter2-{secrets.token_hex(4)}"
        kind, body = {
            b"/json": (
                "application/json",
                f'{{"password": "{secret}", "{secret}": 1, "n": {time.time_ns()}}}',
            ),
            b"/html": ("text/html", f'<p title="{secret}">{secret} {time.time_ns()}</p><b>hunter2</b>'),
            b"/text": ("text/plain", f"hunter2 {secret}"),
            b"/to": ("text/plain", ""),
        }[seen.target]
        head = f"Content-Type: {kind}\r\nSet-Cookie: s={secret}\r\nLocation: /hunter2/{secret}\r\n"
        return answer(302 if seen.target == b"/to" else 200, body.encode(), head=head.encode())(
            connection,  # type: ignore[arg-type]
            seen,
        )

    append(
        Settings.load(environ),
        [line(path) for path in ("/json", "/html", "/text", "/to")] * 5,
        time.time() - 60,
    )
    reports = [tmp_path / "report.json", tmp_path / "report.md"]
    with RecordingTarget(serving) as old, RecordingTarget(answer(body=b"hunter2-new")) as new:
        words = ["--from", "5m", "--speed", "max", "--to", new.url, "--baseline", old.url, "--compare-bodies"]
        code, out, err = finished(environ, *words, *[f"--report={path}" for path in reports])
    assert code == 0
    assert "the baseline gets each GET and HEAD twice" in err
    ((run_id, info),) = replay.runs(redis_client)
    run = replay.run(redis_client, run_id)
    assert run is not None
    assert info["compares_answers"] == "1"
    assert run.figures.total().bodies.changed == 20
    told = [out, err, *(path.read_text() for path in reports), repr(run)]
    for key in redis_client.scan_iter("tailrace:replay:*"):
        told.append(repr(redis_client.dump(key)))
        if redis_client.type(key) == b"hash":
            told.append(repr(redis_client.hgetall(key)))
    assert not any("hunter2" in text for text in told)
