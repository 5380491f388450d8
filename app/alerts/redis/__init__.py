"""Alerts and Redis: the facts of a moment, the context of a message, and what is remembered."""
