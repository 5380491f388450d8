"""The simplest thing that could answer Logplex: reads the body, keeps nothing, says 202."""

from __future__ import annotations

from flask import Flask, Response, request


def create_app() -> Flask:
    """An app with POST /logs alone."""
    app = Flask("empty")

    @app.post("/logs")
    def post_logs() -> Response:
        request.get_data()
        return Response(status=202)

    return app
