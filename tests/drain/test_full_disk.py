"""A full TMPDIR: `web` goes on, counts by itself, and says so in one line for each process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drain.instruments import FILE_BYTES
from servers.ports import free_port
from servers.processes import ROOT, Processes, wait_until
from servers.redis_server import RedisServer
from tests.drain.prometheus_text import figure
from tests.drain.serving import Web

NO_ROOM = "no room for this process's metrics (OSError: [Errno 28] No space left on device)"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(tmp_path)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError as fault:
        pytest.skip(f"[tmpfs] {fault}")
    if done.returncode:
        pytest.skip(f"[tmpfs] only root can mount one: {done.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def fill(folder: Path) -> Path:
    """Takes all the room that is left."""
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    return filler


def workers(web: Web) -> list[int]:
    """The process ids of gunicorn's workers."""
    pid = web.process.pid
    return [int(found) for found in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def replace_worker(web: Web) -> None:
    """kill -9 of the only one, until another answers."""
    (old,) = workers(web)
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: old not in workers(web) and len(workers(web)) == 1, "a new worker")
    assert web.post().status == 202


def accepted(web: Web) -> float:
    return figure(web.ask("GET", "/metrics").body, "frames_total")


def test_a_worker_that_starts_on_a_full_disk_works_and_counts(
    small_disk: Path, redis_server: RedisServer
) -> None:
    environ = {"REDIS_URL": redis_server.url, "WEB_CONCURRENCY": "1", "TMPDIR": str(small_disk)}
    with Processes(environ) as processes:
        port = free_port()
        web = Web(processes.start_web(port, TMPDIR=str(small_disk)), port)
        assert web.post().status == 202
        filler = fill(small_disk)
        assert web.post().status == 202
        assert accepted(web) == 2
        replace_worker(web)
        for _ in range(20):
            assert web.post().status == 202
        assert accepted(web) == 21
        assert web.process.output.count(NO_ROOM) == 1
        assert web.process.output.count("Booting worker") == 2
        assert "SIGBUS" not in web.process.output
        assert "Traceback" not in web.process.output
        filler.unlink()
        replace_worker(web)
        assert accepted(web) == 2 + 1  # What the first one counted is there again.
        assert web.process.output.count(NO_ROOM) == 1


def test_web_starts_where_no_folder_can_be_made(redis_server: RedisServer, tmp_path: Path) -> None:
    script = (
        "import sys, tempfile; "
        "tempfile.mkdtemp = lambda **more: open('/dev/full', 'w').write('x' * 100_000); "
        "from gunicorn.app.wsgiapp import run; sys.argv = ['gunicorn', *sys.argv[1:]]; sys.exit(run())"
    )
    command = [sys.executable, "-c", script, "--config", "python:drain.gunicorn.config", "drain:create_app()"]
    port = free_port()
    with Processes({"REDIS_URL": redis_server.url, "WEB_CONCURRENCY": "1"}) as processes:
        process = processes.start_command("web", command, ROOT, PORT=str(port))
        web = Web(process, port)
        process.wait_for_output("Booting worker")
        wait_until(lambda: web.post().status == 202, "frame")
        replace_worker(web)
        assert accepted(web) == 1
        assert (
            process.output.count(
                "no room for the metrics folder that all processes share (OSError: [Errno 28]"
            )
            == 1
        )
        assert "Traceback" not in process.output
        assert process.terminate() == 0


def test_the_files_of_counts_never_grow(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path; from drain.instruments import Instruments\n"
        f"i = Instruments(Path({str(tmp_path)!r}))\n"
        "for digits in (1, 2, 3):\n"
        "    for number in range(10 ** digits): i.lost.labels(f'L{number:0{digits}}').inc()\n"
        "for status in range(200, 600): i.count_answer(status)\n"
        "assert i.text([]).count(b'tailrace_drain_lost_messages_total{') == 1110\n"
    )
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], env=environ, cwd=ROOT, check=True)
    files = {path.name.rpartition("_")[0]: path.stat() for path in tmp_path.iterdir()}
    assert {kind: file.st_size for kind, file in files.items()} == FILE_BYTES
    assert all(file.st_blocks * 512 >= file.st_size for file in files.values())
