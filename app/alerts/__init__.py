"""Alerts: rules over the figures, what is wrong by them, and what is told of it.

How a moment is judged, from top to bottom, all of it pure but for `redis/`:

- `rule.py`, `when.py`, `conditions/`: what a rule is, and the conditions that it can have.
- `facts.py`: what a moment is judged by; `redis/facts.py` reads it.
- `engine.py`: one moment: every rule asked of every app and route (`evaluate.py`), what each alert becomes
  (`machine.py`), and what belongs together (`incidents.py`). It gives the board that is remembered, and the
  notices that are to be sent.
- `message.py`: a notice in words, with its context (`redis/context.py`): what people and receivers get.
- `redis/`: the lease, the board, the outbox, silences and the history.

`consumers/alerts` runs this; `python -m app alerts backtest` and `bench/alerts.py` run it over the past and
over simulated traffic.
"""
