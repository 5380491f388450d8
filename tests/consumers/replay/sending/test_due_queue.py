"""The queue of the senders: items come out when they are due, and each leaves once."""

from __future__ import annotations

import threading
import time

from consumers.replay.load.pace import RateLimit
from consumers.replay.sending.due_queue import DueQueue


def queue_of(*due: float, size_max: int = 100, rate: float = 0.0) -> DueQueue[str]:
    """Items named after their due times, counted from now."""
    queue: DueQueue[str] = DueQueue(size_max, RateLimit(rate))
    now_s = time.monotonic()
    for due_s in due:
        assert queue.put(f"{due_s:g}", now_s + due_s)
    return queue


def taken(queue: DueQueue[str]) -> str:
    entry = queue.take()
    assert entry is not None
    assert queue.claim(entry)
    queue.finish(entry)
    return entry.item


def test_items_come_out_in_order_of_their_time_and_never_early() -> None:
    queue = queue_of(0.2, 0.0, 0.1)
    started_s = time.monotonic()
    assert [taken(queue) for _ in range(3)] == ["0", "0.1", "0.2"]
    assert time.monotonic() - started_s >= 0.19
    assert queue.join(0.0)


def test_an_earlier_item_overtakes_the_one_that_is_waited_for() -> None:
    queue = queue_of(60.0)
    items: list[str] = []
    thread = threading.Thread(target=lambda: items.append(taken(queue)))
    thread.start()
    queue.put("now", time.monotonic())
    thread.join(10)
    assert items == ["now"]


def test_the_rate_holds_back_what_is_due_but_not_for_what_is_too_late_to_be_sent() -> None:
    queue: DueQueue[str] = DueQueue(100, RateLimit(1.0), max_late_s=5.0)
    now_s = time.monotonic()
    for number in range(50):
        queue.put(f"late {number}", now_s - 60 + number)
    queue.put("due", now_s)
    for _ in range(51):
        taken(queue)
    assert time.monotonic() - now_s < 5  # At one item a second the late ones would take 50 s.
    queue.put("next", now_s)
    taken(queue)
    assert time.monotonic() - now_s >= 0.85  # One second, less the slack.


def test_a_full_queue_takes_an_item_as_soon_as_one_has_left() -> None:
    queue = queue_of(0.0, 60.0, size_max=2)
    assert not queue.put("one too many", 0.0, timeout_s=0.01)
    threading.Timer(0.1, lambda: taken(queue)).start()
    assert queue.put("in time", 0.0, timeout_s=10.0)


def test_join_waits_until_every_item_is_reported() -> None:
    queue = queue_of(0.0)
    entry = queue.take()
    assert entry is not None
    assert not queue.join(0.0)
    assert queue.claim(entry)
    assert not queue.join(0.0)
    threading.Timer(0.1, lambda: queue.finish(entry)).start()
    assert queue.join(10.0)


def test_close_returns_what_waits_and_ends_take() -> None:
    queue = queue_of(0.0, 60.0)
    first = queue.take()
    ended: list[object] = []
    thread = threading.Thread(target=lambda: ended.append(queue.take()))
    thread.start()
    assert queue.close() == ["60"]
    thread.join(10)
    assert ended == [None]
    assert first is not None
    assert not queue.join(0.0)  # The first is not finished.


def test_what_is_abandoned_can_not_be_claimed_and_what_is_claimed_is_not_abandoned() -> None:
    queue = queue_of(0.0, 0.0)
    slow, quick = queue.take(), queue.take()
    assert slow is not None
    assert quick is not None
    assert queue.claim(quick)
    threading.Timer(0.1, lambda: queue.finish(quick)).start()
    assert queue.abandon() == [slow.item]
    assert queue.join(0.0)
    assert not queue.claim(slow)
    assert queue.join(0.0)


def test_with_many_threads_each_item_leaves_once() -> None:
    queue: DueQueue[int] = DueQueue(50, RateLimit(0.0))
    lock, reported = threading.Lock(), list[int]()

    def work() -> None:
        while (entry := queue.take()) is not None:
            if queue.claim(entry):
                with lock:
                    reported.append(entry.item)
                queue.finish(entry)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for number in range(3_000):
        queue.put(number, 0.0)
    returned = queue.close() + queue.abandon()
    for thread in threads:
        thread.join(10)
    assert sorted(reported + returned) == list(range(3_000))
    assert queue.join(0.0)
