"""Each destination's own escaping, on any text."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector, CollectorRegistry

from app.escaping import (
    csv_text,
    escaped,
    for_terminal,
    json_text,
    lines_for_terminal,
    markdown_code,
    markdown_text,
    prometheus_label,
    quoted,
)
from tests.support.hostile import FORMULA_STARTS, HOSTILE, cells_at_any_separator, pipes

TEXT = st.text(st.characters(exclude_categories=()) | st.sampled_from("=+-@;,|`\\\"' \t\n\x1b\x9b\u202e<"))
"""Any text with half surrogates, and more of what matters than chance would give."""


@given(TEXT)
def test_a_terminal_gets_one_line_of_what_can_be_printed(text: str) -> None:
    assert for_terminal(text).isprintable()
    assert len(for_terminal(text)) == len(text)


def test_what_can_be_printed_is_left_alone() -> None:
    assert for_terminal("/caf\u00e9/\u6771\u4eac/\U0001f600") == "/caf\u00e9/\u6771\u4eac/\U0001f600"


def test_no_text_drives_the_terminal() -> None:
    assert for_terminal("/a\x1b[2J\x07\r\n\x9b1m") == "/a{0}[2J{0}{0}{0}{0}1m".format("\ufffd")
    assert lines_for_terminal("bad settings:\n  - \x1b[2J") == "bad settings:\n  - \ufffd[2J"


@given(TEXT)
def test_a_quoted_text_ends_where_its_quotes_do(text: str) -> None:
    said = quoted(text)
    assert said.isprintable()
    assert re.fullmatch(r'"(?:[^"\\]|\\.)*"', said)


@given(TEXT, TEXT)
def test_two_texts_do_not_become_one_label(one: str, other: str) -> None:
    assert (prometheus_label(one) == prometheus_label(other)) == (one == other)


def test_a_label_cannot_be_written_so_that_it_looks_like_another() -> None:
    assert escaped("/\x1b") == "/\\x1b"
    assert escaped("/\\x1b") == "/\\\\x1b"


@given(TEXT)
def test_prometheus_reads_a_label_as_it_was_given(text: str) -> None:
    class One(Collector):
        def collect(self) -> list[CounterMetricFamily]:
            family = CounterMetricFamily("requests", "Requests", labels=["route"])
            family.add_metric([prometheus_label(text)], 1)
            return [family]

    registry = CollectorRegistry()
    registry.register(One())
    shown = generate_latest(registry).decode()
    assert lines_for_terminal(shown) == shown
    (family,) = text_string_to_metric_families(shown)
    assert family.samples[0].labels == {"route": prometheus_label(text)}


@given(TEXT)
def test_json_is_the_same_data_in_what_a_terminal_can_take(text: str) -> None:
    shown = json_text({"route": text}, indent=2)
    assert shown.isascii()
    assert lines_for_terminal(shown) == shown
    # A pair of half surrogates is one character to JSON.
    assert json.loads(shown)["route"].encode("utf-16", "surrogatepass") == text.encode(
        "utf-16", "surrogatepass"
    )


@given(TEXT)
def test_a_field_of_a_table_runs_in_no_spreadsheet(text: str) -> None:
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL).writerow([csv_text(text), 1])
    line = file.getvalue()
    assert line.removesuffix("\r\n").isprintable()
    assert next(csv.reader([line])) == [csv_text(text), "1"]
    assert [cell for cell in cells_at_any_separator(line) if cell.startswith(FORMULA_STARTS)] == []


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("=1+1", "'=1+1"),
        ("/csv;=1+1;x", "/csv;'=1+1;x"),
        ("/csv,@SUM(1)", "/csv,'@SUM(1)"),
        ("  +1", "  '+1"),
        ('";-1', "\";'-1"),
        ("\t=1", "\ufffd'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("/users/:id?a=b&c=-1", "/users/:id?a=b&c=-1"),
        ("H12:3 H13:1", "H12:3 H13:1"),
    ],
)
def test_only_what_could_be_a_formula_gets_a_quote(text: str, field: str) -> None:
    assert csv_text(text) == field


@given(TEXT)
def test_a_code_span_stays_one_and_its_cell_too(text: str) -> None:
    code = markdown_code(text)
    assert re.fullmatch(r"`[^`]+`", code)
    assert pipes(f"| {code} | 1 |") == (3, 3)


@given(TEXT)
def test_text_is_no_markup(text: str) -> None:
    said = markdown_text(text)
    assert said.isprintable()
    assert not re.search(r"[`*_\[\]<>|#~&$!]", re.sub(r"\\[\\`*_\[\]<>|#~&$!]", "", said))
    assert pipes(f"| {said} | 1 |")[0] == 3


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_hostile(text: str) -> None:
    """The list that other tests send through each output holds something for each escaping."""
    assert not text.isprintable() or text != csv_text(text) or text != markdown_text(text)
