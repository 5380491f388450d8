"""gunicorn: its configuration, and the worker that `web` runs."""
