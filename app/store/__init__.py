"""Metrics in Redis: the keys, the one atomic step that writes them, and the queries that read."""
