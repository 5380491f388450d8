"""The metrics worker: router lines in, figures per route in Redis, each request exactly once."""
