"""How many senders there may be, and what this machine allows."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading

import pytest

from consumers.replay.sending.concurrency import (
    FILES_KEPT,
    GROWS_FROM,
    GROWS_TO,
    Concurrency,
    CpuShare,
    allow_files,
    start_small,
)
from servers.processes import ROOT


def test_a_number_that_is_set_is_a_limit_and_one_that_is_not_grows_by_what_is_unanswered() -> None:
    fixed, growing = Concurrency.of(8, 10_000), Concurrency.of(None, 10_000)
    assert (fixed.limit, fixed.can_grow) == (8, False)
    assert (growing.limit, growing.can_grow) == (GROWS_FROM, True)
    for unanswered, limit in ((4, 16), (16, 20), (40, 50), (20, 50), (10_000, GROWS_TO)):
        growing.grow(unanswered)
        assert growing.limit == limit
    assert not growing.can_grow
    fixed.grow(100)
    assert fixed.limit == 8


def test_it_never_exceeds_the_files_and_threads_that_this_machine_has() -> None:
    few = Concurrency.of(None, 40)
    few.grow(1_000)
    assert (few.limit, few.shortage) == (40, "files")
    assert Concurrency.of(64, 10).limit == 10
    assert Concurrency.of(None, 0).limit == 1
    few.no_more_threads(23)
    few.grow(1_000)
    assert (few.limit, few.can_grow, few.shortage) == (23, False, "threads")


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "allowed"), [(256, 4_096, 512, 512), (256, 300, 512, 300 - FILES_KEPT)]
)
def test_the_limit_of_open_files_is_raised_as_far_as_the_system_lets_it(
    soft: int, hard: int, wanted: int, allowed: int
) -> None:
    """In a process of its own, because a hard limit cannot be raised again."""
    program = (
        "import resource\n"
        "from consumers.replay.sending.concurrency import allow_files\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        f"print(allow_files({wanted}), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.split() == [str(allowed), str(allowed + FILES_KEPT)]


def test_a_limit_of_open_files_that_is_high_enough_stays() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert allow_files(1) == 1
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


def test_a_small_stack_is_for_one_thread_only() -> None:
    before = threading.stack_size()
    ran = threading.Event()
    thread = threading.Thread(target=ran.set)
    start_small(thread)
    thread.join()
    assert ran.is_set()
    assert threading.stack_size() == before


def test_the_share_of_a_core_is_of_the_time_just_passed() -> None:
    now = {"wall": 0.0, "cpu": 0.0}
    share = CpuShare(lambda: now["wall"], lambda: now["cpu"])
    now |= {"wall": 1.0, "cpu": 0.95}
    assert share() == pytest.approx(0.95)
    now |= {"wall": 1.05, "cpu": 0.95}
    assert share() == pytest.approx(0.95)  # Too short to tell.
    now |= {"wall": 2.0, "cpu": 1.05}
    assert share() == pytest.approx(0.1)
