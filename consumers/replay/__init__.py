"""Replay: the requests of router lines, sent again to a target, at their pace, with a verdict.

The path of a request: `request` (from the line) -> `rules` (may it go, and how) -> `pace` (when)
-> `connection` (over the wire) -> `compare` (original against replayed).
"""
