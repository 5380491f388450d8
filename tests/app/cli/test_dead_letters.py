"""`python -m app dead-letters`: list, requeue and drop, on a real Redis."""

from __future__ import annotations

from base64 import b64encode

import orjson
import pytest
import redis

from app.log import open_log
from app.message import decode
from app.settings import Settings
from app.store import dead_letters, keys
from app.store.dead_letters import VALUE_MAX_BYTES, dead_letter
from servers.logplex_client import octets
from servers.messages import router_line, router_syslog
from tests.app.cli.commands import run_command
from tests.support import letters
from tests.support.letters import add

LINE = router_syslog(router_line("/a"), 1_795_428_000).rstrip()
LOSS = (
    b"<172>1 2026-11-23T10:00:00+00:00 host heroku logplex - "
    b"Error L10 (output buffer overflow): 7 messages dropped since 2026-11-23T09:00:00+00:00."
)


def command(redis_url: str, *words: str) -> tuple[int, str, str]:
    return run_command(redis_url, "dead-letters", *words)


def logged(redis_url: str) -> list[str]:
    """The paths in the log."""
    settings = Settings.load({"REDIS_URL": redis_url})
    reader = open_log(settings).reader("test", "earliest", rewind_to_store=True)
    batch = reader.poll(0.2, 1_000)
    reader.close()
    return [found["msg"].split('path="')[1].split('"')[0] for found in batch.messages] if batch else []


def only(client: redis.Redis) -> dead_letters.DeadLetter:
    (letter,) = dead_letters.read(client)
    return letter


def test_the_list_has_id_kind_reason_and_start(redis_url: str, redis_client: redis.Redis) -> None:
    add(redis_client, [dead_letter("line", "drain", "no syslog line", b"\xffnonsense\n", "shop")])
    code, out, _ = command(redis_url, "list")
    letter = only(redis_client)
    assert code == 0
    assert letter.id in out
    assert "drain  line  no syslog line" in out
    assert "1 dead letter(s)" in out
    code, out, _ = command(redis_url, "list", "--json")
    assert orjson.loads(out)["app"] == "shop"
    assert orjson.loads(out)["value"] == "\\xffnonsense\n"


@pytest.mark.parametrize(
    ("kind", "value"),
    [("line", LINE), ("body", octets([LINE]))],
)
def test_what_is_readable_now_goes_to_the_log_and_is_a_letter_no_more(
    redis_url: str, redis_client: redis.Redis, kind: dead_letters.Kind, value: bytes
) -> None:
    add(redis_client, [dead_letter(kind, "drain", "was not readable", value, "shop")])
    assert command(redis_url, "requeue", only(redis_client).id)[:2] == (0, "requeued 1 of 1\n")
    assert logged(redis_url) == ["/a"]
    assert list(dead_letters.read(redis_client)) == []


def test_a_message_of_the_topic_is_requeued_with_an_id_of_its_own(
    redis_url: str, redis_client: redis.Redis
) -> None:
    message = orjson.dumps(
        {"timestamp": "-", "msg": LINE.decode().partition(" - ")[2], "id": "f.0", "app": "", "received_at": 1}
    )
    assert decode(message)["id"] == "f.0"
    add(redis_client, [dead_letter("message", "metrics", "was not readable", message)])
    assert command(redis_url, "requeue", "--all")[0] == 0
    assert logged(redis_url) == ["/a"]


def test_what_of_a_body_is_still_broken_is_kept(redis_url: str, redis_client: redis.Redis) -> None:
    value = octets([LINE, LOSS]) + b"999 cut short"
    add(redis_client, [dead_letter("body", "drain", "was not readable", value, "shop")])
    first = only(redis_client).id
    assert command(redis_url, "requeue", "--all")[:2] == (0, "requeued 1 of 1\n")
    assert logged(redis_url) == ["/a"]
    omitted_routes = only(redis_client)
    assert omitted_routes.id != first
    assert (omitted_routes.kind, omitted_routes.value, omitted_routes.app) == (
        "body",
        b"999 cut short",
        "shop",
    )
    assert redis_client.hget("tailrace:losses", "shop") == b"7"


def test_what_cannot_be_read_stays_and_is_exit_code_1(redis_url: str, redis_client: redis.Redis) -> None:
    add(redis_client, [dead_letter("body", "drain", "no octet count", b"nonsense")])
    code, out, _ = command(redis_url, "requeue", "--all")
    assert code == 1
    assert "still cannot be read (no octet count)" in out
    assert only(redis_client).value == b"nonsense"


def test_what_was_cut_stays_and_says_so(redis_url: str, redis_client: redis.Redis) -> None:
    add(redis_client, [dead_letter("line", "drain", "not readable", LINE + b"x" * VALUE_MAX_BYTES)])
    code, out, _ = command(redis_url, "requeue", "--all")
    assert code == 1
    assert f"only {VALUE_MAX_BYTES} of its {len(LINE) + VALUE_MAX_BYTES} bytes were kept" in out
    assert "requeued 0 of 1" in out
    assert not only(redis_client).is_complete


def test_a_letter_of_an_older_version_is_listed_requeued_and_dropped(
    redis_url: str, redis_client: redis.Redis
) -> None:
    for app in ("shop", "blog"):
        value = b64encode(LINE).decode()
        redis_client.xadd(
            keys.DEAD_LETTERS,
            {"kind": "line", "reason": "why", "value": value, "bytes": len(LINE), "app": app},
        )
    first, second = (letter.id for letter in dead_letters.read(redis_client))
    assert "2 dead letter(s)" in command(redis_url, "list")[1]
    assert command(redis_url, "requeue", first)[:2] == (0, "requeued 1 of 1\n")
    assert logged(redis_url) == ["/a"]
    assert command(redis_url, "drop", second)[:2] == (0, "dropped 1\n")
    assert letters.count(redis_client) == 0


def test_dropped_letters_are_gone(redis_url: str, redis_client: redis.Redis) -> None:
    add(redis_client, [dead_letter("line", "drain", str(number), b"x") for number in range(3)])
    first = next(dead_letters.read(redis_client)).id
    assert command(redis_url, "drop", first)[:2] == (0, "dropped 1\n")
    assert command(redis_url, "drop", "--all")[:2] == (0, "dropped 2\n")


@pytest.mark.parametrize("action", ["requeue", "drop"])
def test_an_id_that_is_not_there_is_said(redis_url: str, action: str) -> None:
    code, _, err = command(redis_url, action, "1795444755937-0")
    assert code == 1
    assert err == "1795444755937-0: not found\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["drop"], "give ids or --all"),
        (["requeue", "1-1", "--all"], "give ids or --all"),
        (["requeue", "x"], "x: not an id"),
        (["list", "1-1"], "takes no ids"),
    ],
)
def test_bad_usage_is_exit_code_2(redis_url: str, words: list[str], said: str) -> None:
    code, _, err = command(redis_url, *words)
    assert code == 2
    assert said in err


def test_a_redis_that_is_away_is_one_line() -> None:
    code, _, err = command("redis://:SECRET@127.0.0.1:1/0", "list")
    assert code == 1
    assert err.startswith("Redis at redis://********@127.0.0.1:1/0: ")
    assert err.count("\n") == 1


SAID = b"<45>1 2026-11-23T10:00:00+00:00 host app api - Release v48 created by user jane@example.com"


def said(redis_url: str) -> list[str]:
    """What the platform has said, as the log has it."""
    settings = Settings.load({"REDIS_URL": redis_url})
    reader = open_log(settings).reader("test", "earliest", rewind_to_store=True, reads_platform=True)
    batch = reader.poll(0.2, 1_000)
    reader.close()
    return [found["msg"] for found in batch.platform] if batch else []


def test_what_the_platform_said_is_requeued_without_its_user(
    redis_url: str, redis_client: redis.Redis
) -> None:
    add(redis_client, [dead_letter("line", "drain", "was not readable", SAID, "shop")])
    assert command(redis_url, "requeue", only(redis_client).id)[:2] == (0, "requeued 1 of 1\n")
    assert (said(redis_url), list(dead_letters.read(redis_client))) == (["Release v48 created"], [])


def test_a_message_of_the_platform_that_stopped_workers_goes_back_to_where_it_was(
    redis_url: str, redis_client: redis.Redis
) -> None:
    head = {
        "timestamp": "-",
        "app_name": "heroku",
        "procid": "web.1",
        "id": "f.0",
        "app": "",
        "received_at": 1,
    }
    message = orjson.dumps({**head, "msg": "State changed from up to down"})
    add(redis_client, [dead_letter("message", "metrics", "poison", message)])
    assert command(redis_url, "requeue", only(redis_client).id)[:2] == (0, "requeued 1 of 1\n")
    assert said(redis_url) == ["State changed from up to down"]
    assert logged(redis_url) == []
