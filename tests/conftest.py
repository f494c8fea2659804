"""Fixtures of all tests: private servers, started when the first test asks for one."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.kafka import KafkaServer
    from tests.servers.postgresql import PostgresqlServer


# The machine may be busy: how long an example takes says nothing about what it holds.
settings.register_profile(
    "guanxi", max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
# What `make test` asks for.
settings.register_profile("thorough", settings.get_profile("guanxi"), max_examples=100)
settings.load_profile("guanxi")


@pytest.fixture(scope="session")
def demo_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger that `guanxi demo` makes, as of 1993-02-21. For reading: copy it to write."""
    from tests.surfaces.cli import guanxi  # noqa: PLC0415  # imported lazily

    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(folder))
        made = guanxi("demo", "--json").document()
    return Path(made["ledger"].removeprefix("sqlite:"))


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A private PostgreSQL; `restart()` breaks every connection and keeps the data."""
    from tests.servers.postgresql import PostgresqlServer  # noqa: PLC0415  # started lazily

    server = PostgresqlServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """The URL of an empty database of this test's own."""
    postgresql_server.start()
    with postgresql_server.fresh_database() as url:
        yield url


@pytest.fixture(scope="session")
def kafka_server() -> Iterator[KafkaServer]:
    """A private broker: `bootstrap`, `kill()`, `start()` again on the same data and port."""
    from tests.servers.kafka import KafkaServer  # noqa: PLC0415  # started lazily

    server = KafkaServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def kafka_topics_prefix(kafka_server: KafkaServer) -> str:
    """A topics' prefix of this test's own, on a broker that runs."""
    kafka_server.start()
    return f"t{uuid.uuid4().hex[:12]}"
