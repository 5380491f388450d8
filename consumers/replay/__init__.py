"""Replay: sends the requests of router lines again, to a target, at their own pace, with a verdict.

What happens to a request, in order: `request` (parsed from the line), `policy` (whether it is sent, and
how, with the user's `rules`), `pace` (when), `senders` (threads, fed by a `due_queue`), `connection`
(over the wire, with `http1` for the answer), `comparison` (of two targets), `stats` (counted). `live`
does this for the log as it grows, `window` for a span of the past. `gate` judges a window's figures, and
`report` presents them.
"""
