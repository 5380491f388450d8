"""Router lines to parse: the usual ones, and what hypothesis makes of them."""

from __future__ import annotations

from hypothesis import strategies as st

from app.router_line import RouterLine

INFO = (
    'at=info method=GET path="/users/1?q=a" host=shop.example.com '
    'request_id=8601b555-6a83-4c12-8269-97c8e32cdb22 fwd="204.204.204.204" dyno=web.1 '
    "connect=1ms service=18ms status=200 bytes=13 protocol=https tls=true tls_version=tls1.3\n"
)
H12 = (
    'at=error code=H12 desc="Request timeout" method=POST path="/slow" host=shop.example.com '
    'request_id=8601b555 fwd="204.204.204.204,2001:db8::1" dyno=web.2 '
    "connect=1.5ms service=30000ms status=503 bytes=0 protocol=https\n"
)


def legacy(path: str) -> RouterLine:
    """The legacy router's line of a request, with this path as the client sent it."""
    return EMPTY._replace(path=path, protocol="https")


def router_2(path: str) -> RouterLine:
    """Router 2.0's line of a request, with this path as Router 2.0 writes it: decoded."""
    return EMPTY._replace(path=path, protocol="http1.1", tls="false")


EMPTY = RouterLine(*[""] * len(RouterLine._fields))

_any_text = st.text(st.characters(exclude_categories=()), max_size=12)
"""Any characters, lone surrogates too."""
_keys = st.one_of(
    st.sampled_from(["at", "code", "desc", "method", "path", "host", "request_id", "fwd", "dyno", "status"]),
    st.text(
        st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"='), min_size=1, max_size=8
    ),
)
_bare = _any_text.map(lambda text: text.replace(" ", "").lstrip('"'))
pairs = st.dictionaries(_keys, st.one_of(_any_text, _bare), min_size=1, max_size=14)


def written(key: str, value: str, quoted: bool) -> str:
    """One pair as the router writes it."""
    if not quoted and " " not in value and not value.startswith('"'):
        return f"{key}={value}"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{key}="{escaped}"'


_values = st.one_of(
    st.text('ab01./:-,"= \\\n\r\t?&', max_size=6),
    st.sampled_from(["", "1ms", "web.1", "200", "code=H10", " code=H10", 'x"y', '"', "\\", "\udcff", "日"]),
)
_REST = ("method", "path", "host", "request_id", "fwd", "dyno", "connect", "service", "status", "bytes")
_USUAL = {
    "at": ["info", "warning", "error"],
    "code": ["H12", "H18", "H27"],
    "desc": ["Request timeout"],
    "method": ["GET"],
    "path": ["/users/1?q=a", "/a b/é", ""],
    "host": ["shop.example.com"],
    "request_id": ["6903a168-b79b-ec27-03c8-b8f64d8d8792", ""],
    "fwd": ["138.68.186.89", "", "149.88.17.139, 172.68.7.155", "2001:db8::1"],
    "dyno": ["web.1", ""],
    "connect": ["0ms", "0", ""],
    "service": ["18ms", "397", ""],
    "status": ["200", "499", ""],
    "bytes": ["13", "0", ""],
}
_ENDS = [
    "",
    "protocol=https",
    "protocol=https tls_version=tls1.2",
    "protocol=http1.1 tls=false",
    "protocol=http1.1 tls=true tls_version=unknown",
    "protocol=http2.0 tls=true tls_version=tls1.3",
    "protocol=http2.0 tls=true tls_version=tls1.3 region=eu",
    'protocol=http agent="curl/8 (a=b) x"',
]
_MORE = [
    "protocol=https",
    "protocol=http2.0",
    'protocol="http1.1"',
    "protocol=",
    "tls=true",
    "tls=false",
    "tls=",
    "tls=\n",
    "tls_version=tls1.3",
    'tls_version="a code=H99"',
    "sock=client",
    "cause=x",
    'cause="bad header"',
    'agent="curl/8 code=H99"',
    "code=H99",
    "bytes=7",
    'a="b c"',
    'a="b',
    "new=1",
    "new=",
    "x",
    '"',
    "=",
    "",
]


@st.composite
def nearly_usual(draw: st.DrawFn) -> str:
    """The order of keys of either router, around which anything may be odd."""
    is_odd = draw(st.integers(0, 2)) == 2
    is_failure = draw(st.booleans())
    words = ["sock=backend"] if draw(st.integers(0, 3)) == 3 and (is_failure or is_odd) else []
    keys = ["at", *(["code", "desc"] if is_failure else []), *_REST]
    fwd_is_quoted = draw(st.booleans())
    for key in keys:
        quoted = key in ("desc", "path") or (key == "fwd" and fwd_is_quoted)
        raw = draw(st.sampled_from(_USUAL[key] if is_failure else _USUAL[key][:-1] or _USUAL[key]))
        if is_odd and draw(st.integers(0, 5)) == 5:
            raw = draw(_values)
            if draw(st.booleans()):
                quoted = not quoted
        words.append(f'{key}="{raw}"' if quoted else f"{key}={raw}")
        if key == "desc" and draw(st.integers(0, 8)) == 8:
            words.append(draw(st.sampled_from(['cause="bad header"', "cause=x"])))
    words += draw(st.sampled_from(_ENDS)).split(" ")
    if is_odd or draw(st.integers(0, 3)) == 3:
        words += draw(st.lists(st.sampled_from(_MORE), max_size=3))
    start, end = "", draw(st.sampled_from(["\n", "", "\r\n", "\n\n"]))
    if is_odd:
        start = draw(st.sampled_from(["", "sock=client ", " "]))
        end = draw(st.sampled_from(["\n", " ", " \n"]))
        if draw(st.integers(0, 4)) == 4:
            words = draw(st.permutations(words))
    return start + " ".join(words) + end
