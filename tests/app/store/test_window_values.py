"""Windows are read as Redis packs them, whichever form of MessagePack it chooses."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.store.rows import pack
from app.store.window_values import unpacked

COUNTS = st.integers(0, 200) | st.integers(0, 2**53 - 1)
FIELDS = (
    st.integers(-600, 1_200)
    | st.text("abcnsqm0129", min_size=1, max_size=40)
    | st.text(min_size=1, max_size=300)
)
PACK = """
local map = {}
for _, pair in ipairs(cjson.decode(ARGV[1])) do map[pair[1]] = pair[2] end
return cmsgpack.pack(map)
"""


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(FIELDS, COUNTS, max_size=80))
def test_what_redis_packed_is_read_as_it_was(store: redis.Redis, values: dict[int | str, int]) -> None:
    values = {
        "n": 1,
        **{str(name) if isinstance(name, str) else name: count for name, count in values.items()},
    }
    packed: Any = store.eval(PACK, 0, orjson.dumps(list(values.items())))
    assert unpacked(packed) == values


@given(st.dictionaries(FIELDS, COUNTS, max_size=80))
def test_what_a_worker_packed_is_read_as_it_was(values: dict[int | str, int]) -> None:
    assert unpacked(pack(values)) == values


@pytest.mark.parametrize(
    ("packed", "values"),
    [
        (b"\x80", {}),
        (b"\x81\xa1n\xcb\x40\x08\x00\x00\x00\x00\x00\x00", {"n": 3}),
        (b"\x81\xd9\x01n\xcd\x01\x00", {"n": 256}),
        (b"\x81\xda\x00\x01n\xce\x00\x01\x00\x00", {"n": 65_536}),
        (b"\xde\x00\x02\xe0\x01\xd1\xff\x00\x02", {-32: 1, -256: 2}),
        (b"\xdf\x00\x00\x00\x01\xd0\x80\xcf\x00\x00\x00\x01\x00\x00\x00\x00", {-128: 2**32}),
        (b"\x81\xa1\xff\x01", {"\ufffd": 1}),
    ],
)
def test_every_form_of_a_number_or_a_text_is_known(packed: bytes, values: dict[int | str, int]) -> None:
    assert unpacked(packed) == values


@pytest.mark.parametrize(
    "packed", [b"", b"x", b"\x81", b"\x81\xa5n", b"\x81\xa1n", b"\x81\xa1n\xcd\x01", b"\x81\xc0\x01"]
)
def test_anything_else_is_no_window(packed: bytes) -> None:
    with pytest.raises(ValueError, match="is not a"):
        unpacked(packed)
