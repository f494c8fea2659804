"""Long-running commands as processes of their own, embedded: no server is needed."""

from __future__ import annotations

import json
import shutil
import socket
from typing import TYPE_CHECKING

import pytest

from tests.clustering.world import wait_for
from tests.surfaces.cli import guanxi, running

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def ledger(demo_ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A copy of the demo's ledger, named by the environment."""
    shutil.copytree(demo_ledger.parent, tmp_path / "copy")
    url = f"sqlite:{tmp_path / 'copy' / demo_ledger.name}"
    monkeypatch.setenv("GUANXI_LEDGER", url)
    return url


def test_serve_answers_applies_what_others_record_and_stops_when_told(tmp_path: Path) -> None:
    with running(tmp_path, "serve", "--port", "0") as serve:
        serve.wait_for_log("serving")
        assert serve.get("/healthz") == (200, '{"status":"alive"}')
        assert serve.get("/readyz") == (200, '{"status":"ready"}')
        status, body = serve.get("/relationships/GX-001")
        assert (status, json.loads(body)["manager"]) == (200, "RM-01")
        handed = {"customer_id": "GX-001", "manager": "RM-77", "role": "owner"}
        fields = json.dumps({**handed, "assigned_on": "1993-02-21"})
        told = guanxi("record", "assign-manager", fields, "--json").document()
        status, body = serve.get(f"/relationships/GX-001?min_position={told['position']}")
        assert (status, json.loads(body)["manager"]) == (200, "RM-77")
        assert serve.get(f"/network/GX-001?min_position={told['position']}")[0] == 200
        status, metrics = serve.get("/metrics")
        assert status == 200
        assert f"guanxi_ledger_position {float(told['position'])}" in metrics
        applied = 'guanxi_apply_seconds_count{projection="network"} '  # the last view to apply it
        wait_for(lambda: applied in serve.get("/metrics")[1], "the network has not applied it")
        serve.stop()
        assert "Traceback" not in serve.log


@pytest.mark.slow
def test_project_follows_the_log_of_an_embedded_ledger_and_stops_when_told(tmp_path: Path) -> None:
    with running(tmp_path, "project", "--port", "0") as project:
        project.wait_for_log("projector started")
        assert project.get("/readyz") == (200, '{"status":"ready"}')
        assert (
            'guanxi_events_skipped_total{projection="network"} 0.0' in project.get("/metrics")[1]
        )
        project.stop()
        assert "Traceback" not in project.log


def test_serve_with_rules_that_cannot_be_used_does_not_start(tmp_path: Path) -> None:
    nothing = str(tmp_path / "nothing")
    with running(tmp_path, "serve", "--port", "0", GUANXI_RULES=nothing) as serve:
        assert serve.process.wait(timeout=30) == 1
        assert "guanxi: bad-rules: GUANXI_RULES names no folder of rules" in serve.log
        assert nothing in serve.log
        assert "Traceback" not in serve.log


@pytest.mark.slow
def test_serve_on_a_port_that_is_taken_says_so(tmp_path: Path) -> None:
    with running(tmp_path, "serve", "--port", "0") as serve:
        serve.wait_for_log("serving")
        with running(tmp_path, "serve", "--port", str(serve.port)) as second:
            assert second.process.wait(timeout=30) == 1
            assert f"guanxi: system: cannot listen on 127.0.0.1:{serve.port}" in second.log
            assert "Traceback" not in second.log


@pytest.mark.slow
def test_a_broker_that_is_away_is_waited_for_and_readiness_says_so(tmp_path: Path) -> None:
    with running(tmp_path, "relay", "--kafka", "127.0.0.1:1", "--port", "0") as relay:
        relay.wait_for_log("waiting")
        status, body = relay.get("/readyz")
        assert status == 503
        assert "127.0.0.1:1" in json.loads(body)["waits_for"][0]
        relay.stop()
        assert "Traceback" not in relay.log


@pytest.mark.slow
def test_a_relay_that_has_opened_its_ledger_waits_for_kafka_and_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kafka = f"127.0.0.1:{silent.getsockname()[1]}"
        with running(tmp_path, "relay", "--kafka", kafka, "--port", "0") as relay:
            relay.wait_for_log("relay started")
            status, body = relay.get("/readyz")
    assert (status, json.loads(body)["waits_for"]) == (503, [f"Kafka at {kafka}"])
