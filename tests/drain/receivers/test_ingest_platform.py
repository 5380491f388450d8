"""What the platform says, from a body into the log: with its users only where KEEP_USERS asks for them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import redis

from app.log import open_log
from app.settings import Settings
from app.store import dead_letters
from drain.instruments import Instruments
from drain.receivers.ingest import MESSAGE_MAX_BYTES, ingest
from drain.receivers.logplex import parse
from tests.drain.bodies import APP_SENT, ROUTER_SENT, TIMESTAMP, counted, heroku
from tests.drain.prometheus_text import figure

STATE_SENT = counted(heroku(b"web.1", b"State changed from starting to up\n"))
RELEASE_SENT = counted(heroku(b"api", b"Release v48 created by user jane@example.com\n", b"app"))


@dataclass(slots=True)
class Drain:
    """`ingest` into the log in Redis, and what a metrics worker reads of it."""

    settings: Settings
    store: redis.Redis
    instruments: Instruments = field(default_factory=Instruments)

    def take(self, body: bytes, frame_id: str = "f1", *, keep_users: bool = False) -> None:
        writer = open_log(self.settings).writer()
        frame = parse(body, frame_id, "shop")
        ingest(frame, writer, self.store, self.instruments, 4.0, {}, keep_users=keep_users)
        writer.close()

    def read(self) -> tuple[list[str], list[tuple[str, str]]]:
        """(ids of router lines, (id, text) of what the platform said)."""
        reader = open_log(self.settings).reader(
            "metrics", "earliest", rewind_to_store=True, reads_platform=True
        )
        batch = reader.poll(0.2, 1_000)
        reader.close()
        if batch is None:
            return [], []
        return (
            [found["id"] for found in batch.messages],
            [(found["id"], found["msg"]) for found in batch.platform],
        )

    def letters(self) -> list[bytes]:
        return [letter.value for letter in dead_letters.read(self.store)]

    def count(self, sample: str) -> float:
        return figure(self.instruments.text([]), sample)


@pytest.fixture
def drain(redis_url: str, redis_client: redis.Redis) -> Drain:
    return Drain(Settings(redis_url=redis_url), redis_client)


def test_it_is_in_the_log_beside_the_router_lines_and_counted(drain: Drain) -> None:
    drain.take(APP_SENT + STATE_SENT + ROUTER_SENT + RELEASE_SENT)
    assert drain.read() == (
        ["f1.2"],
        [("f1.1", "State changed from starting to up\n"), ("f1.3", "Release v48 created\n")],
    )
    assert drain.count("platform_messages_total") == 2
    assert drain.count("router_lines_total") == 1


def test_a_frame_of_the_platform_alone_is_written_once(drain: Drain) -> None:
    drain.take(STATE_SENT)
    drain.take(STATE_SENT)
    assert drain.read() == ([], [("f1.0", "State changed from starting to up\n")])
    assert drain.count("platform_messages_total") == 1
    assert drain.count("duplicate_frames_total") == 1
    assert drain.count("append_seconds_count") == 2


def test_users_are_kept_where_the_settings_ask_for_it(drain: Drain) -> None:
    drain.take(RELEASE_SENT, keep_users=True)
    assert drain.read()[1] == [("f1.0", "Release v48 created by user jane@example.com\n")]


def test_a_message_too_large_for_the_log_is_a_dead_letter_without_its_user(drain: Drain) -> None:
    huge = b"Set " + b"A" * MESSAGE_MAX_BYTES + b" config vars by user jane@example.com\n"
    long = b"jane@example.com set " + b"A" * MESSAGE_MAX_BYTES
    drain.take(
        ROUTER_SENT + counted(heroku(b"api", huge, b"app")) + counted(heroku(b"api", long)) + STATE_SENT
    )
    assert drain.read() == (["f1.0"], [("f1.3", "State changed from starting to up\n")])
    assert len(drain.letters()) == 2
    assert all(b"jane" not in letter for letter in drain.letters())


BAD_HEADER = b"<45>1 %s h\xc3\xb6st app api - Release v48 created by user jane@example.com" % TIMESTAMP


def test_dead_letters_of_what_cannot_be_read_hold_no_users(drain: Drain) -> None:
    drain.take(counted(BAD_HEADER) * 60 + ROUTER_SENT + b"0 " + RELEASE_SENT)
    letters = drain.letters()
    assert len(letters) == 52  # 50 rejects, the others together, and the rest of the body.
    assert all(b"jane" not in letter and b"Release v48 created by user x" in letter for letter in letters)
    # The rest can still be read from octet count to octet count.
    assert len(parse(letters[-1].removeprefix(b"0 "), "f2").platform) == 1


def test_dead_letters_are_kept_as_they_came_where_the_settings_ask_for_users(drain: Drain) -> None:
    drain.take(counted(BAD_HEADER), keep_users=True)
    assert drain.letters() == [BAD_HEADER]
