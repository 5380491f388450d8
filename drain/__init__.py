"""The drain: `web` of the Procfile. POST /logs, the page, the API, health and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def create_app() -> Flask:
    """The WSGI application, by the environment. Raises BadSettings."""
    # Not at the top: gunicorn loads `drain.gunicorn.config` first, which must say where counts are kept
    # before prometheus_client is imported.
    from drain.app import create_app

    return create_app()
