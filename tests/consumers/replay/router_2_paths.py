"""Paths as clients send them, beside what Router 2.0 logs of them."""

from __future__ import annotations

KNOWN = [
    ("/", "/"),
    ("/api/Lexicon%201951/Book/8", "/api/Lexicon 1951/Book/8"),
    ("/api/stream", "/api/stream"),
    ("/%20", "/ "),
    ("/a%20%20b%20", "/a  b "),
    ("/caf%C3%A9", "/caf\u00e9"),
    ("/cafe%CC%81", "/cafe\u0301"),
    ("/%E4%BD%A0%E5%A5%BD/42", "/\u4f60\u597d/42"),
    ("/%F0%9F%98%80", "/\U0001f600"),
    ("/%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB", "/\U0001f469\u200d\U0001f4bb"),
    ("/say%20%22hi%22", '/say "hi"'),
    ("/%22", '/"'),
    ("/a%5Cb", "/a\\b"),
    ("/a%5C%22b", '/a\\"b'),
    ("/100%25", "/100%"),
    ("/%25zz/%2541", "/%zz/%41"),
    ("/Users%5B42%5D", "/Users[42]"),
    ("/%7Bid%7D", "/{id}"),
    ("/a%7Cb", "/a|b"),
    ("/a%5Eb%60c", "/a^b`c"),
    ("/%3Cscript%3E", "/<script>"),
    ("/a%23b", "/a#b"),
    ("/line%0Abreak", "/line\nbreak"),
    ("/a%0D%0AHost:%20evil.example", "/a\r\nHost: evil.example"),
    ("/%00%01%1F%7F", "/\x00\x01\x1f\x7f"),
    ("/tab%09", "/tab\t"),
    ("/%FF%FE", "/\udcff\udcfe"),
    ("/latin%E9", "/latin\udce9"),
    ("/a@b:c;d=1,2!$&'()*+~._-", "/a@b:c;d=1,2!$&'()*+~._-"),
    ("//double//", "//double//"),
    ("/a%20b?q=1&r[]=2", "/a b?q=1&r[]=2"),
    ("/search?q=%22oak%22&p=100%25", "/search?q=%22oak%22&p=100%25"),
    ("/?", "/?"),
    ("/?a?b", "/?a?b"),
    ("/x?next=/a%20b", "/x?next=/a%20b"),
]
"""(as the client sent it, as it is logged): the same one is sent again."""

QUERIES_DECODED = [
    ("/search?q=a%20b", "/search?q=a b"),
    ("/search?q=caf%C3%A9", "/search?q=caf\u00e9"),
    ("/search?q=%E4%BD%A0", "/search?q=\u4f60"),
    ("/search?q=%23tag", "/search?q=#tag"),
    ("/search?q=a%0Ab%00", "/search?q=a\nb\x00"),
    ("/search?q=%FF", "/search?q=\udcff"),
]
"""The same, if the query is logged decoded, which is not known."""

LOST = [
    ("/a%2Fb", "/a/b", "/a/b"),
    ("/what%3F.pdf", "/what?.pdf", "/what?.pdf"),
    ("/why%3F%20not", "/why? not", "/why?%20not"),
    ("/%61dmin", "/admin", "/admin"),
    ("/a%40b", "/a@b", "/a@b"),
    ("/a[1]", "/a[1]", "/a%5B1%5D"),
]
"""(as the client sent it, as it is logged, as it is sent again): nothing tells what the first was."""

ALL = [
    *((logged, sent) for sent, logged in KNOWN + QUERIES_DECODED),
    *((logged, sent) for _, logged, sent in LOST),
]
"""(as it is logged, as it is sent again)."""

REENCODED = sum(logged != sent for logged, sent in ALL)
