"""Families of paths that one route answers, as real apps have them (path_families.txt), and names that are
routes of their own (names_that_stay.txt)."""

from __future__ import annotations

import base64
import random
import re
import string
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent

ALPHABETS = {
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "base36": string.ascii_lowercase + string.digits,
    "BASE36": string.ascii_uppercase + string.digits,
    "BASE32": string.ascii_uppercase + "234567",
    "crockford": "0123456789ABCDEFGHJKMNPQRSTVWXYZ",
    "base62": string.ascii_letters + string.digits,
    "base64url": string.ascii_letters + string.digits + "-_",
    "sockjs": string.ascii_lowercase + "012345",
}
WORDS = ("red", "blue", "summer", "shoes", "garden", "chair", "coffee", "table", "window", "jacket", "lamp")
NAMES = ("ada", "grace", "alan", "linus", "edsger", "barbara", "donald", "margaret", "dennis", "ken")
HOSTS = ("example.com", "mail.example.co.uk", "gmail.com", "163.com")


@dataclass(frozen=True, slots=True)
class Family:
    """Paths of one form, and how many rows a hundred of them may take."""

    form: str
    rows_max: int

    def paths(self, count: int = 100) -> list[str]:
        """The same ones each time."""
        dice = random.Random(self.form)
        return [_PART.sub(lambda found: part(found[1], dice), self.form) for _ in range(count)]


def families() -> list[Family]:
    lines = (HERE / "path_families.txt").read_text("utf-8").splitlines()
    pairs = [line.split(" ", 1) for line in lines if line and not line.startswith("#")]
    return [Family(form, int(rows)) for rows, form in pairs]


def names_that_stay() -> list[str]:
    return (HERE / "names_that_stay.txt").read_text("utf-8").split()


_PART = re.compile("<([^<>]+)>")


def part(kind: str, dice: random.Random) -> str:
    """What stands in a path for `<kind>`; `<8 hex>` is 8 of that alphabet."""
    chars, _, alphabet = kind.partition(" ")
    return some(dice, alphabet, int(chars)) if alphabet else MADE[kind](dice)


def some(dice: random.Random, alphabet: str, chars: int) -> str:
    return "".join(dice.choice(ALPHABETS[alphabet]) for _ in range(chars))


def number(dice: random.Random) -> str:
    return str(dice.randrange(1, 10 ** dice.randint(1, 6)))


def random_uuid(dice: random.Random) -> str:
    return str(uuid.UUID(int=dice.getrandbits(128), version=4))


def date(dice: random.Random) -> str:
    return f"{dice.randint(1990, 2029)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"


def jwt(dice: random.Random) -> str:
    parts = (b'{"alg":"HS256","typ":"JWT"}', dice.randbytes(60), dice.randbytes(32))
    return ".".join(base64.urlsafe_b64encode(some).decode().rstrip("=") for some in parts)


MADE: dict[str, Callable[[random.Random], str]] = {
    "digit": lambda dice: str(dice.randrange(10)),
    "hundreds": lambda dice: str(dice.randrange(100, 1_000)),
    "number": number,
    "numbers": lambda dice: ",".join(number(dice) for _ in range(dice.randint(2, 40))),
    "sign": lambda dice: dice.choice(("-", "+", "")),
    "price": lambda dice: dice.choice(("5", "9.99", "12.5", "100.25", "1,299.00".replace(",", ""))),
    "latitude": lambda dice: f"{dice.uniform(-90, 90):.{dice.randint(2, 6)}f}",
    "longitude": lambda dice: f"{dice.uniform(-180, 180):.{dice.randint(2, 6)}f}",
    "date": date,
    "month": lambda dice: date(dice)[:7],
    "year": lambda dice: date(dice)[:4],
    "mm": lambda dice: date(dice)[5:7],
    "dd": lambda dice: date(dice)[8:],
    "time": lambda dice: f"{dice.randrange(24):02}:{dice.randrange(60):02}:{dice.randrange(60):02}",
    "uuid": random_uuid,
    "UUID": lambda dice: random_uuid(dice).upper(),
    "jwt": jwt,
    "base64": lambda dice: "e" + base64.urlsafe_b64encode(dice.randbytes(dice.randint(10, 60))).decode(),
    "slug": lambda dice: "-".join(dice.sample(WORDS, dice.randint(1, 4))),
    "name": lambda dice: dice.choice(NAMES),
    "email": lambda dice: f"{dice.choice(NAMES)}{dice.choice('._+')}{number(dice)}@{dice.choice(HOSTS)}",
    "ip": lambda dice: ".".join(str(dice.randrange(256)) for _ in range(4)),
    "mac": lambda dice: ":".join(some(dice, "hex", 2) for _ in range(6)),
    "MAC": lambda dice: "-".join(some(dice, "HEX", 2) for _ in range(6)),
    "sockjs": lambda dice: f"{dice.randrange(1_000):03}/{some(dice, 'sockjs', 8)}",
}
