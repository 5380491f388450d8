"""Single requests out of the kept log: which are wanted, and what they have in common.

filters.py   what is wanted: `matches` a parsed line, and `patterns` that its bytes must hold
patterns.py  those patterns
rows.py      in which row of the page's table a line counts
search.py    from a scan of the log to found requests, and the live tail
groups.py    counts what was found, by dyno, route, status, code, method, host or client
"""
