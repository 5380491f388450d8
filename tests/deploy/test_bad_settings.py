"""Bad settings stop each process of the Procfile: one message with every fault, and no second start."""

from __future__ import annotations

import pytest

from servers.processes import Processes, procfile

BAD_SETTINGS = 2
STOP_S = 20


@pytest.mark.parametrize("name", sorted(procfile()))
def test_every_fault_is_said_once_and_the_process_ends(name: str) -> None:
    environ = {
        "PORT": "99999",
        "DRAIN_PASWORD": "s3cret",
        "REPLAY_SAMPLE": "1.5",
        "KAFKA_TRUSTED_CERT": "s3cret",
        "REDIS_URL": "http://:s3cret@redis.example.com",
    }
    with Processes(environ) as processes:
        process = processes.start(name)
        assert process.popen.wait(STOP_S) == BAD_SETTINGS
        output = process.output
    for fault in (
        "PORT must be from 0 to 65535 (it is '99999')",
        "DRAIN_PASWORD is not a setting of Tailrace",
        "REPLAY_SAMPLE must be a number from 0 to 1",
        "KAFKA_TRUSTED_CERT must be a certificate in PEM",
        "REDIS_URL must start with redis://",
    ):
        assert output.count(fault) == 1, output
    assert output.count("bad settings:") == 1
    assert "Traceback" not in output
    assert "s3cret" not in output


def test_replay_without_a_target_says_so_and_ends(redis_url: str) -> None:
    with Processes({"REDIS_URL": redis_url}) as processes:
        process = processes.start("replay")
        assert process.popen.wait(STOP_S) == BAD_SETTINGS
        assert "REPLAY_HOST is unset" in process.output
        assert "Traceback" not in process.output


def test_web_on_a_platform_without_credentials_says_so_and_ends(redis_url: str) -> None:
    with Processes({"REDIS_URL": redis_url, "DYNO": "web.1"}) as processes:
        process = processes.start("web")
        assert process.popen.wait(STOP_S) == BAD_SETTINGS
        assert "DRAIN_USER and DRAIN_PASSWORD are missing" in process.output
        assert "Traceback" not in process.output
