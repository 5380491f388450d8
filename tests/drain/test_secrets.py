"""No secret in a log line, an answer or a process title, whatever goes wrong in the real processes."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from app.errors import BadSettings
from app.settings import Settings
from servers.ports import free_port
from servers.processes import ROOT, Process, Processes, wait_until
from servers.redis_server import RedisServer
from tests.drain.bodies import L10_SENT, ROUTER_SENT
from tests.drain.serving import Web, basic

MARK = "S3cr3t"
"""In every secret, so that one search finds any of them, and part of one too."""

SECRETS = {
    "DRAIN_USER": "drain",
    "DRAIN_PASSWORD": f"{MARK}-drain",
    "DRAIN_CREDENTIALS": f"next:{MARK}-next",
    "DRAIN_TOKENS": f"d.{MARK}-token=shop",
    "DASHBOARD_USER": "me",
    "DASHBOARD_PASSWORD": f"{MARK}-page",
    "TARGET_TOKEN": f"{MARK}-target",
}
SASL = {
    "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "KAFKA_SASL_USERNAME": "kafka",
    "KAFKA_SASL_PASSWORD": f"{MARK}-sasl",
}
RULES = """
replay:
  - path: /users
    set_headers: {Authorization: "Bearer ${TARGET_TOKEN}"}
"""


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return [int(child) for child in found]


def titles(process: Process) -> str:
    """How the process, its workers and their threads call themselves."""
    words = []
    for pid in (process.pid, *children(process.pid)):
        words.append(Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace"))
        words += [path.read_text("utf-8") for path in Path(f"/proc/{pid}/task").glob("*/comm")]
    return " ".join(words)


def assert_kept(process: Process) -> None:
    assert process.popen.poll() is None, process.output
    assert MARK not in titles(process)
    assert MARK not in process.output


@pytest.fixture
def guarded_redis() -> Iterator[str]:
    """The host and port of a Redis that asks for a password."""
    with RedisServer() as server:
        client = redis.Redis.from_url(server.url)
        client.config_set("requirepass", "another")
        client.close()
        yield server.url.removeprefix("redis://").removesuffix("/0")


@pytest.fixture
def rules(tmp_path: Path) -> str:
    path = tmp_path / "tailrace.yaml"
    path.write_text(RULES)
    return str(path)


def ask_everything(web: Web) -> None:
    """All kinds of requests, with right, wrong and broken logins, whose answers tell no secret."""
    login = {"Authorization": basic("drain", f"{MARK}-drain")}
    wrong = {"Authorization": basic("drain", f"{MARK}-wrong")}
    look = {"Authorization": basic("me", f"{MARK}-page")}
    broken = {"Authorization": f"Basic {MARK}-no-base64"}
    token = {"Logplex-Drain-Token": f"d.{MARK}-token"}
    logplex = {"Content-Type": "application/logplex-1"}
    for body in (ROUTER_SENT, L10_SENT, b"no count", b""):
        for headers in (login | token, login, wrong | token, broken | token, {}):
            answer = web.ask("POST", "/logs", body, headers | logplex)
            assert MARK.encode() not in answer.body
            assert MARK not in str(answer.headers)
    for path in ("/", "/metrics", "/ready", "/api/routes", "/api/health", f"/{MARK[:3]}"):
        for headers in (look, wrong, broken, {}):
            answer = web.ask("GET", path, headers=headers)
            assert MARK.encode() not in answer.body
            assert MARK not in str(answer.headers)
    for odd in (
        f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization : Basic {MARK}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic \x00{MARK}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic x\r\n {MARK}\r\n\r\n",
        f"POST /logs HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {MARK}\r\nContent-Length: x\r\n\r\n",
    ):
        with web.connect() as connection:
            connection.sendall(odd.encode("latin-1"))
            assert MARK.encode() not in connection.recv(10_000)


@pytest.mark.parametrize("fault", ["away", "refuses"])
def test_with_redis_at_fault(guarded_redis: str, rules: str, fault: str) -> None:
    place = f"127.0.0.1:{free_port()}" if fault == "away" else guarded_redis
    environ = {
        **SECRETS,
        "REDIS_URL": f"redis://user-{MARK}:{MARK}-redis@{place}/0",
        "TAILRACE_CONFIG": rules,
        "REPLAY_HOST": f"http://127.0.0.1:{free_port()}",
        "WEB_CONCURRENCY": "1",
    }
    with Processes(environ) as processes:
        workers = [processes.start("metrics"), processes.start("replay")]
        port = free_port()
        web = processes.start_web(port)
        ask_everything(Web(web, port))
        for worker in workers:
            worker.wait_for_output("waiting: ")
        for process in (web, *workers):
            assert_kept(process)


@pytest.mark.parametrize("client", ["kafka-python", "confluent"])
def test_with_kafka_at_fault(redis_url: str, client: str) -> None:
    environ = {
        **SECRETS,
        **SASL,
        "REDIS_URL": redis_url,
        "KAFKA_URL": f"kafka://127.0.0.1:{free_port()}",
        "KAFKA_CLIENT": client,
        "WEB_CONCURRENCY": "1",
    }
    with Processes(environ) as processes:
        metrics = processes.start("metrics")
        port = free_port()
        web = processes.start_web(port)
        login = {"Authorization": basic("drain", f"{MARK}-drain"), "Content-Type": "application/logplex-1"}
        token = {"Logplex-Drain-Token": f"d.{MARK}-token"}
        answer = Web(web, port).ask("POST", "/logs", ROUTER_SENT, login | token)
        assert answer.status == 503
        assert MARK.encode() not in answer.body
        metrics.wait_for_output("waiting: ")
        for process in (web, metrics):
            assert_kept(process)


BAD = {
    "REDIS_URL": [
        f"{MARK}",
        f"http://:{MARK}@x",
        f"redis://:{MARK}/x@host:6379/0",
        f"redis://:{MARK}@[::1/0",
    ],
    "REDIS_TLS_URL": [f"rediss://:{MARK}#x@host:6380"],
    "KAFKA_URL": [f"kafka://user:{MARK}@host:9092", f"http://user:{MARK}@host:9092"],
    "REPLAY_HOST": [f"https://user:{MARK}@host", f"https://user:{MARK}@host/path", f"ftp://user:{MARK}@host"],
    "DRAIN_TOKENS": [f"{MARK}=shop", f"d.{MARK}", f"d.{MARK}=no such name"],
    "DRAIN_CREDENTIALS": [MARK, f":{MARK}"],
    "DRAIN_PASSWORD": [MARK],
    "DASHBOARD_PASSWORD": [MARK],
    "KAFKA_SASL_PASSWORD": [MARK],
    "KAFKA_CLIENT_CERT_KEY": [MARK, f"-----BEGIN PRIVATE KEY-----\n{MARK}\n-----END PRIVATE KEY-----"],
    "KAFKA_CLIENT_CERT": [MARK],
    "KAFKA_TRUSTED_CERT": [MARK],
    "DRAIN_PASSWRD": [MARK],
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_is_said_without_its_secret(name: str) -> None:
    for value in BAD[name]:
        with pytest.raises(BadSettings) as refused:
            Settings.load({name: value})
        assert name in str(refused.value)
        assert MARK not in str(refused.value)


@pytest.mark.parametrize("process_type", ["web", "metrics", "replay", "release"])
def test_a_process_with_bad_settings_ends_with_all_of_them_and_no_trace(process_type: str) -> None:
    with Processes({name: values[0] for name, values in BAD.items()}) as processes:
        process = processes.start(process_type)
        wait_until(lambda: process.popen.poll() is not None, f"end of {process_type}")
        assert process.popen.returncode == 2
        assert all(name in process.output for name in BAD)
        assert MARK not in process.output
        assert "Traceback" not in process.output


def test_the_settings_in_force_are_shown_without_their_secrets() -> None:
    environ = {**SECRETS, **SASL, "REDIS_URL": f"redis://user:{MARK}@host:6379/0"}
    with Processes(environ) as processes:
        command = [sys.executable, *shlex.split("-m app config")]
        process = processes.start_command("config", command, ROOT)
        assert process.popen.wait(20) == 0
        assert MARK not in process.output
        assert "host:6379" in process.output
        assert process.output.count("********") >= 6
