"""The whole way on real servers, through the command line alone."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import infra.demo
from tests.surfaces.cli import guanxi, running

if TYPE_CHECKING:
    from tests.servers.kafka import KafkaServer
    from tests.servers.postgresql import PostgresqlServer
    from tests.surfaces.cli import Running

pytestmark = pytest.mark.cluster

STORY = str(Path(infra.demo.__file__).parent / "story")
FEED = str(Path(infra.demo.__file__).parent / "feed")
VIEWS = ("compliance", "relationships", "network")
PATIENCE_SECONDS = 120.0


@pytest.fixture
def bootstrap(
    postgresql_url: str,
    kafka_server: KafkaServer,
    kafka_topics_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """A ledger of a cluster, made by `guanxi init` and named by the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GUANXI_LEDGER", postgresql_url)
    monkeypatch.setenv("GUANXI_KAFKA", kafka_server.bootstrap)
    monkeypatch.setenv("GUANXI_KEYS", str(tmp_path / "keys"))
    made = guanxi("init", "--partitions", "3", "--prefix", kafka_topics_prefix, "--json")
    assert made.status == 0, made.err
    assert len(made.document()["topics_created"]) == 7
    return kafka_server.bootstrap


def wait_until_caught_up() -> dict[str, object]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = guanxi("status", "--digests", "--json")
        assert answer.status == 0, answer.err
        found: dict[str, dict[str, object]] = answer.document()
        lags = [v["lag_events"] for v in (found["relay"], *found["projections"].values())]  # type: ignore[index]  # JSON
        if lags == [0] * len(lags) and found["ledger"]["position"]:
            return found  # type: ignore[return-value]  # JSON
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def embedded_exports(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the embedded profile exports of the same feeds."""
    with monkeypatch.context() as patch:
        patch.setenv("GUANXI_LEDGER", f"sqlite:{folder / 'embedded.db'}")
        patch.delenv("GUANXI_KAFKA")
        patch.delenv("GUANXI_KEYS")
        assert guanxi("init").status == 0
        for feed in (STORY, FEED):
            assert guanxi("ingest", feed).status == 0
        return {view: guanxi("export", view).out for view in VIEWS}


def test_a_cluster_exports_what_one_file_does_through_a_killed_broker_and_a_restart(
    bootstrap: str,
    kafka_server: KafkaServer,
    postgresql_server: PostgresqlServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert guanxi("ingest", STORY).status == 0
    with (
        running(tmp_path, "relay", "--port", "0") as relay,
        running(tmp_path, "project", "--port", "0") as project,
        running(tmp_path, "serve", "--port", "0") as serve,
    ):
        wait_until_caught_up()
        kafka_server.kill()
        assert guanxi("ingest", FEED).status == 0  # the ledger needs no broker
        assert relay.wait_for_log("waiting .*Kafka acknowledges nothing"), bootstrap
        assert_the_projector_knows(project, bootstrap)
        kafka_server.start()
        for process in (relay, project):
            process.wait_for_log("waiting is over .*kafka-unavailable")
        postgresql_server.restart()
        caught_up = wait_until_caught_up()
        for process in (relay, project, serve):
            assert process.process.poll() is None, process.log
            assert "Traceback" not in process.log
        answers = [serve.get("/relationships/GX-001") for _ in range(3)]
        assert {status for status, _ in answers} <= {200, 503}, answers  # the restart broke some
        assert json.loads(answers[-1][1])["customer_id"] == "GX-001"
        assert caught_up["ledger"]["profile"] == "cluster"  # type: ignore[index]  # JSON
        exports = {view: guanxi("export", view).out for view in VIEWS}
        assert exports == embedded_exports(tmp_path, monkeypatch)
        rebuilt = guanxi("rebuild", "--json")
        assert rebuilt.status == 0, rebuilt.err
        views = guanxi("audit", "replay", "--json").document()["views"]
        assert {view["matches"] for view in views.values()} == {True}
        for process in (serve, project, relay):
            process.stop()


def assert_the_projector_knows(project: Running, bootstrap: str) -> None:
    """A lost broker shows in its log, its readiness, its faults, and its lag behind the ledger."""
    project.wait_for_log("waiting .*kafka-unavailable")
    status, waiting = project.get("/readyz")
    assert status == 503
    assert f"Kafka at {bootstrap} cannot be reached" in waiting
    metrics = project.get("/metrics")[1]
    for name in (
        "faults_total",
        'lag_events{projection="network"}',
        'lag_seconds{projection="network"}',
    ):
        found = re.search(rf"^guanxi_projection_{re.escape(name)} (.*)$", metrics, re.MULTILINE)
        assert found, metrics
        assert float(found[1]) > 0, found[0]


@pytest.mark.parametrize(
    ("user", "database", "code"),
    [("postgres", "nowhere", "database-missing"), ("nobody", "postgres", "login-refused")],
)
def test_what_waiting_does_not_mend_is_refused_at_once(
    postgresql_server: PostgresqlServer, tmp_path: Path, user: str, database: str, code: str
) -> None:
    url = postgresql_server.url(database).replace("postgres@", f"{user}@")
    for words in (
        ["status"],
        ["init", "--keys", str(tmp_path / "keys")],
        ["relay", "--kafka", "x:1"],
    ):
        began = time.monotonic()
        refused = guanxi("--ledger", url, *words)
        assert time.monotonic() - began < 5
        assert refused.status == 1
        assert refused.err.splitlines()[-1].startswith(f"guanxi: {code}: PostgreSQL: ")


def test_topics_are_listed_and_made_where_they_are_missing(bootstrap: str) -> None:
    found = guanxi("topics", "--create", "--json").document()
    assert found["created"] == []
    assert set(found["topics"].values()) == {1, 3}, bootstrap
    assert len(guanxi("topics").out.splitlines()) > len(found["topics"])


def test_a_database_that_is_away_is_told_in_lines_and_waited_for(
    bootstrap: str, postgresql_server: PostgresqlServer, tmp_path: Path
) -> None:
    guanxi("ingest", STORY)
    postgresql_server.kill()
    with (
        running(tmp_path, "serve", "--port", "0") as serve,
        running(tmp_path, "project", "--port", "0") as project,
        running(tmp_path, "export", "relationships", "--as-of", "1993-02-21") as export,
    ):
        for process in (serve, project):
            process.wait_for_log(r"waiting .*store-unavailable.*PostgreSQL: .*")
        export.wait_for_log("waiting")
        postgresql_server.start()
        serve.wait_for_log("serving")
        project.wait_for_log("projector started")
        # It answers, or says that nothing is projected yet: the projector has just begun.
        if export.process.wait(timeout=60) != 0:
            assert "guanxi: view-missing: " in export.log, bootstrap
        for process in (serve, project, export):
            assert "Traceback" not in process.log
        serve.stop()
        project.stop()
