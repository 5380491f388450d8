"""The `web` process leaves nothing behind, however it ends."""

from __future__ import annotations

import socket

from servers.ports import free_port
from servers.processes import Processes

ENVIRON = {"REDIS_URL": "redis://127.0.0.1:1/0", "WEB_CONCURRENCY": "2"}


def test_a_stop_leaves_no_file() -> None:
    with Processes(ENVIRON) as processes:
        web = processes.start_web(free_port())
        assert [path.name.startswith("tailrace-metrics-") for path in processes.temporary.iterdir()] == [True]
        assert web.terminate() == 0
        assert list(processes.temporary.iterdir()) == []


def test_a_start_on_a_port_in_use_says_so_and_leaves_no_file() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, Processes(ENVIRON) as processes:
        port = taken.getsockname()[1]
        web = processes.start("web", PORT=str(port))
        assert web.popen.wait(20) == 1
        assert f"Can't connect to ('127.0.0.1', {port})" in web.output
        assert "Traceback" not in web.output
        assert list(processes.temporary.iterdir()) == []
