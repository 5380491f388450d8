"""Log lines as key=value on one line each."""

from __future__ import annotations

import logging
import logging.config
import re
import sys

import pytest

from app.escaping import quoted
from app.logging_setup import KeyValueFormatter, logging_config


def record(message: str, *args: object, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("app.streams", level, "file.py", 1, message, args, None)


def test_a_line_says_when_how_grave_who_and_what() -> None:
    made = record("back after %.1f s", 3.25, level=logging.WARNING)
    made.created, made.msecs = 1_795_444_755.25, 250.0
    assert KeyValueFormatter("metrics.1").format(made) == (
        "time=2026-11-23T14:39:15.250Z level=warning app=tailrace process=metrics.1 "
        'at=app.streams msg="back after 3.2 s"'
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain", '"plain"'),
        ('a "b"', r'"a \"b\""'),
        ("a\\b", r'"a\\b"'),
        ("two\nlines\r\n", r'"two\nlines\r\n"'),
        ("é 雪", '"é 雪"'),
    ],
)
def test_a_text_is_quoted_on_one_line(text: str, said: str) -> None:
    assert quoted(text) == said


@pytest.mark.parametrize("break_", ["\x0b", "\x0c", "\x1b[31m", "\x00", "\x85", "\u2028"])
def test_nothing_that_a_client_sends_can_start_a_line_or_colour_a_terminal(break_: str) -> None:
    said = quoted(f"path=/{break_}x")
    assert len(said.splitlines()) == 1
    assert said.isprintable()


def test_a_trace_is_part_of_its_line() -> None:
    made = record("a request failed")
    try:
        raise ValueError('"odd"')
    except ValueError:
        made.exc_info = sys.exc_info()
    line = KeyValueFormatter("web.1").format(made)
    assert "\n" not in line
    assert re.search(r'msg="a request failed\\nTraceback .*ValueError: \\"odd\\""$', line)


def test_lines_go_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    try:
        logging.config.dictConfig(logging_config("release.1"))
        logging.getLogger("app.anything").info("hello")
        logging.getLogger("kafka.client").warning("a retry of a connection")
    finally:
        root.handlers[:], root.level = kept, level
        logging.getLogger("kafka").setLevel(logging.NOTSET)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.endswith('at=app.anything msg="hello"\n')
