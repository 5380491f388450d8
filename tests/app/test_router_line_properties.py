"""Router lines in general: what is written is read, quick or slow, and nothing raises."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import example, given
from hypothesis import strategies as st

from app.router_line import RouterLine, fields, milliseconds, parse, parse_any_order, timestamp_ms
from tests.app.router_lines import H12, INFO, nearly_usual, pairs, written

any_text = st.text(st.characters(exclude_categories=()), max_size=200)


@given(pairs, st.data())
def test_what_is_written_is_read(values: dict[str, str], data: st.DataObject) -> None:
    line = " ".join(written(key, value, data.draw(st.booleans())) for key, value in values.items())
    # Without a newline of its own, the end of the last value would be taken for the line's end.
    read = fields(line + " \n")
    assert read == values
    assert list(read) == list(values)
    assert parse(line + " \n") == RouterLine(*[values.get(key, "") for key in RouterLine._fields])


@given(nearly_usual())
@example(INFO)
@example(H12)
def test_the_quick_way_and_the_long_way_agree(line: str) -> None:
    assert parse(line) == parse_any_order(line)


@given(any_text)
def test_no_text_raises(text: str) -> None:
    assert parse(text) == parse_any_order(text)
    assert (parse(text) is None) == (not fields(text))
    assert milliseconds(text) is None or set(text) <= set("0123456789.ms")
    timestamp_ms(text)


@given(st.integers(0, 10**9), st.integers(0, 999_999))
def test_milliseconds_are_read_back(whole: int, millionths: int) -> None:
    written_ms = f"{whole}.{millionths:06}"
    assert milliseconds(f"{written_ms}ms") == milliseconds(written_ms) == float(written_ms)


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),
    st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    st.integers(0, 6),
)
def test_a_timestamp_is_read_to_the_millisecond(naive: datetime, zone: timezone, digits: int) -> None:
    moment = naive.replace(tzinfo=zone, microsecond=0)
    fraction = f"{naive.microsecond:06}"[:digits]
    text = moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if digits else "") + moment.strftime("%z")
    assert timestamp_ms(text) == round(moment.timestamp()) * 1000 + int((fraction + "000")[:3])
