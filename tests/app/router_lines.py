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
_usual_keys = ("at", "code", "desc", *RouterLine._fields[3:])
_quoted_keys = {"desc", "path", "fwd"}


@st.composite
def nearly_usual(draw: st.DrawFn) -> str:
    """The router's own order of keys, around which anything may be odd."""
    with_code = draw(st.booleans())
    words = []
    for key in _usual_keys:
        if key in ("code", "desc") and not with_code:
            continue
        quoted = key in _quoted_keys
        if draw(st.integers(0, 20)) == 0:
            quoted = not quoted
        raw = draw(_values)
        words.append(f'{key}="{raw}"' if quoted else f"{key}={raw}")
    words += draw(
        st.lists(
            st.sampled_from(
                [
                    "protocol=https",
                    "tls=true",
                    "tls_version=tls1.3",
                    "sock=client",
                    "cause=x",
                    "code=H99",
                    "bytes=7",
                    'a="b c"',
                    "x",
                    '"',
                    "",
                ]
            ),
            max_size=3,
        )
    )
    if draw(st.integers(0, 8)) == 0:
        words = draw(st.permutations(words))
    return (
        draw(st.sampled_from(["", "", "", "sock=client ", " "]))
        + " ".join(words)
        + draw(st.sampled_from(["", "\n", "\r\n", " ", "\n\n"]))
    )
