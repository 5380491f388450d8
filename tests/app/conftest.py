"""Hosted brokers, started once for all tests that ask for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from servers.kafka_jars import NoKafka
from tests.conftest import skip_or_fail
from tests.support.hosted_kafka import HerokuKafka, LoginKafka


@pytest.fixture(scope="module")
def heroku_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HerokuKafka]:
    """As Heroku's add-on."""
    try:
        hosted = HerokuKafka.make(tmp_path_factory.mktemp("heroku"))
    except NoKafka as reason:
        skip_or_fail("kafka", str(reason))
    with hosted.broker:
        yield hosted


@pytest.fixture(scope="module")
def login_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoginKafka]:
    """With SASL over TLS."""
    try:
        hosted = LoginKafka.make(tmp_path_factory.mktemp("login"))
    except NoKafka as reason:
        skip_or_fail("kafka", str(reason))
    with hosted.broker:
        yield hosted
