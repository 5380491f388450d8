"""Replay: sends the requests of router lines again, to a target, at their own pace, with a verdict.

What happens to a request, in order: `request` (parsed from the line), `choice` (whether it is sent, and how),
`load` (when), `sending` (by threads, over the wire), `stats` (counted). `live` does this for the log as it
grows, `window` for a span of the past, by a `plan`. With two targets, `bodies` compares their answers. `gate`
judges what a window's run has measured, `reports` shows it, and `limit` looks for the speed that a target
holds.
"""
