"""The drain: `web` of the Procfile. POST /logs, the page, the API, health and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def create_app() -> Flask:
    """The WSGI application, by the environment, as gunicorn calls it. Raises BadSettings."""
    # Not at the top: gunicorn loads `drain.gunicorn.config` first, which must say where counts are kept
    # before prometheus_client is imported.
    import os
    from pathlib import Path

    from app.settings import Settings
    from drain.app import create_app

    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return create_app(Settings.load(os.environ), counts=Path(folder) if folder else None)
