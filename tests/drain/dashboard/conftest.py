"""The dashboard on an application of its own, over a real Redis."""

from __future__ import annotations

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from app.log import open_log
from app.redis_client import connect
from app.settings import Settings
from drain.dashboard import blueprint


@pytest.fixture
def client(redis_client: redis.Redis) -> FlaskClient:
    """Asks an application that has nothing but the dashboard."""
    app = Flask("dashboard", static_folder=None)
    app.register_blueprint(blueprint(Settings(), open_log(Settings()), redis_client))
    return app.test_client()


@pytest.fixture
def client_without_redis() -> FlaskClient:
    """The same where nothing listens at REDIS_URL."""
    app = Flask("dashboard", static_folder=None)
    settings = Settings(redis_url="redis://:SECRET@127.0.0.1:1/0")
    app.register_blueprint(
        blueprint(settings, open_log(settings), connect(settings, connections=2, timeout_s=1))
    )
    return app.test_client()
