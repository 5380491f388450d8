"""docker-compose.yml, without an engine: its form, and its services' own commands and settings at work.

The commands run from a folder that holds just what the image holds, on a Kafka and a Redis with
the file's settings; only addresses are others.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from app.groups import group_names
from app.settings.settings import FIELDS, Settings
from servers.kafka_broker import KafkaBroker
from servers.ports import free_port
from servers.redis_server import RedisServer
from tests.deploy.image import copied_folders, stages
from tests.support.processes import ROOT, Processes, procfile, wait_until

FILE = ROOT / "docker-compose.yml"
OURS = ("web", *group_names(), "release")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))["services"]
    return found


def filled(text: str) -> str:
    """With the defaults of `${NAME:-default}`, as in a shell that sets none of them."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def environment(service: dict[str, Any]) -> dict[str, str]:
    return {name: filled(value) for name, value in service.get("environment", {}).items()}


def test_it_is_a_compose_file() -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "check-jsonschema"),
            "--builtin-schema",
            "vendor.compose-spec",
            str(FILE),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", OURS)
def test_each_process_runs_the_procfiles_command(name: str, services: dict[str, Any]) -> None:
    assert services[name]["command"] == shlex.split(procfile()[name])


@pytest.mark.parametrize("name", OURS)
def test_each_process_has_settings_that_exist_and_hold(name: str, services: dict[str, Any]) -> None:
    environ = environment(services[name])
    assert set(environ) <= {field.name for field in FIELDS}
    assert Settings.load(environ).kafka_url


def test_each_service_of_ours_is_built_from_a_stage_that_has_its_code(services: dict[str, Any]) -> None:
    for service in services.values():
        if "build" in service:
            target = service["build"]["target"]
            assert target in stages()
            command: list[str] = service["command"]
            assert "-m" not in command or command[2].partition(".")[0] in copied_folders(target)
    # One tag for two targets would be whichever was built last.
    assert len({service["image"] for service in services.values() if "build" in service}) == 2


def test_what_is_waited_for_is_there_and_can_be_told(services: dict[str, Any]) -> None:
    for service in services.values():
        for name, wish in service.get("depends_on", {}).items():
            if wish["condition"] == "service_healthy":
                assert services[name]["healthcheck"]["test"][0] == "CMD"
            else:
                assert services[name]["restart"] == "no"


def test_data_is_in_volumes_that_are_declared(services: dict[str, Any]) -> None:
    declared = set(yaml.safe_load(FILE.read_text("utf-8"))["volumes"])
    assert {
        volume.partition(":")[0] for name in ("redis", "kafka") for volume in services[name]["volumes"]
    } == declared


def test_only_this_machine_reaches_the_port_whose_password_everyone_knows(services: dict[str, Any]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:5000:5000"]


class Loopback:
    """The file's addresses, moved to free ports of this machine."""

    def __init__(self) -> None:
        self.kafka, self.controller, self.redis = free_port(), free_port(), free_port()
        self.web, self.target = free_port(), free_port()

    def __call__(self, text: str) -> str:
        for was, port in (
            ("kafka:9092", self.kafka),
            ("kafka:9093", self.controller),
            ("//:9092", self.kafka),
            ("//:9093", self.controller),
            ("redis:6379", self.redis),
            ("web:5000", self.web),
            ("target:5010", self.target),
            ("127.0.0.1:5000", self.web),
            ("127.0.0.1:5010", self.target),
        ):
            slashes = "//" if was.startswith("//") else ""
            text = text.replace(was, f"{slashes}127.0.0.1:{port}")
        whole = {"5000": str(self.web), "5010": str(self.target), "0.0.0.0": "127.0.0.1"}
        return whole.get(text, text)


@pytest.fixture
def loopback() -> Loopback:
    return Loopback()


@pytest.fixture
def composed_kafka(
    kafka_broker: KafkaBroker, services: dict[str, Any], loopback: Loopback, tmp_path: Path
) -> Iterator[KafkaBroker]:
    """A broker with the settings of the service `kafka`, as its image makes them from the environment."""
    environ = environment(services["kafka"])
    del environ["KAFKA_HEAP_OPTS"]
    properties = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): loopback(value)
        for name, value in environ.items()
    }
    properties |= {"log.dirs": str(tmp_path / "kafka"), "inter.broker.listener.name": "PLAINTEXT"}
    broker = KafkaBroker(extra=properties)
    broker.port, broker.admin_server = loopback.kafka, f"127.0.0.1:{loopback.kafka}"
    with broker:
        yield broker


@pytest.fixture
def composed_redis(services: dict[str, Any], loopback: Loopback) -> Iterator[RedisServer]:
    with RedisServer(extra=services["redis"]["command"][1:]) as server:
        loopback.redis = server.port
        yield server


@pytest.fixture
def images(tmp_path: Path) -> dict[str, Path]:
    """Target of the Dockerfile -> a folder that holds what its image holds."""
    folders = {}
    for target in ("production", "development"):
        folders[target] = tmp_path / target
        for name in copied_folders(target):
            shutil.copytree(ROOT / name, folders[target] / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folders


@pytest.mark.kafka
def test_its_services_count_and_replay_their_own_traffic(
    services: dict[str, Any],
    loopback: Loopback,
    composed_redis: RedisServer,
    composed_kafka: KafkaBroker,
    images: dict[str, Path],
) -> None:
    with Processes({}) as processes:

        def start(name: str, *more: str) -> Any:
            service = services[name]
            command = [loopback(part) for part in service["command"]] + list(more)
            environ = {key: loopback(value) for key, value in environment(service).items()}
            image = images[service["build"]["target"]]
            return processes.start_command(name, command, image, **environ)

        def is_healthy(name: str) -> bool:
            _, *check = map(loopback, services[name]["healthcheck"]["test"])
            return (
                subprocess.run(check, env=processes.environ, capture_output=True, check=False).returncode == 0
            )

        assert start("release").popen.wait(60) == 0
        start("target")
        wait_until(lambda: is_healthy("target"), "healthy target")
        web = start("web")
        wait_until(lambda: is_healthy("web"), "healthy web")
        metrics, replay = start("metrics"), start("replay")
        for worker in (metrics, replay):
            worker.wait_for_output("reading: group=")
        client = redis.Redis.from_url(composed_redis.url)
        wait_until(lambda: client.hlen("tailrace:positions:replay") == 32, "place of replay in the log", 40)
        assert start("traffic", "--seconds", "4").popen.wait(40) == 0
        wait_until(total(client, "tailrace:group:metrics", "messages", 400), "count of all requests", 40)
        wait_until(lambda: bool(client.keys("tailrace:replay:*")), "replayed requests", 40)
        client.close()
        assert [process.terminate() for process in (replay, metrics, web)] == [0, 0, 0]


def total(client: redis.Redis, key: str, field: str, wanted: int) -> Callable[[], bool]:
    """Whether a counter stands at the number wanted."""
    return lambda: int(client.hget(key, field) or 0) == wanted
