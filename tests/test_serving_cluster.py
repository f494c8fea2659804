"""`serve` through a restart of its PostgreSQL: no query fails, and the log tells of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from infra.cli.settings import Settings
from infra.composition import make_ledger, opened
from infra.http.application import application
from infra.http.served import Served
from tests.surfaces.cli import running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.postgresql import PostgresqlServer

pytestmark = pytest.mark.cluster


@pytest.fixture
def settings(postgresql_url: str, tmp_path: Path) -> Settings:
    """An empty ledger in PostgreSQL."""
    found = Settings(ledger=postgresql_url, keys=tmp_path / "keys")
    make_ledger(found, partitions=3, topic_prefix="unused")
    return found


def test_a_query_after_a_restart_of_the_database_is_read_once_more(
    settings: Settings, postgresql_server: PostgresqlServer
) -> None:
    with opened(settings) as parts:
        served = Served()
        served.open(parts, parts.ledger())
        parts.catch_up()
        client = TestClient(application(served, CollectorRegistry()))
        before = client.get("/relationships/C1/timeline")
        with capture_logs() as logs:
            postgresql_server.restart()
            after = client.get("/relationships/C1/timeline")
        assert (before.status_code, after.status_code) == (404, 404)  # it knows no C1
        assert [line["code"] for line in logs] == ["store-unavailable"]


def test_serve_tells_in_two_lines_that_its_database_was_lost_and_is_back(
    settings: Settings, postgresql_server: PostgresqlServer, tmp_path: Path
) -> None:
    words = ("--ledger", settings.ledger, "--keys", str(settings.keys), "serve", "--port", "0")
    with running(tmp_path, *words) as serve:
        serve.wait_for_log("serving")
        postgresql_server.kill()
        serve.wait_for_log(r"waiting .*PostgreSQL: ")
        assert serve.get("/readyz")[0] == 503
        postgresql_server.start()
        serve.wait_for_log(r"waiting is over .*store-unavailable")
        assert serve.get("/readyz") == (200, '{"status":"ready"}')
        assert len(re.findall(r" waiting  +", serve.log)) == 1, serve.log
        serve.stop()
        assert "Traceback" not in serve.log
