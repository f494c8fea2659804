from __future__ import annotations

import re
import shutil
import time
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from structlog.testing import capture_logs

from consumers.event_store import StoreUnavailableError
from consumers.merging import RecordsMissingError
from consumers.projector import Standing
from consumers.topics import KafkaUnavailableError
from infra import metrics
from infra.attempt import Told
from infra.cli.settings import Settings
from infra.commands import FORMS
from infra.composition import opened
from infra.http.ledger_totals import LedgerTotals
from infra.observers import ProjectorMetrics, RelayMetrics, ServedMetrics
from infra.outages import Waiting
from projections.projection import PROJECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.composition import Parts

CUSTOMER = {
    "customer_id": "C1",
    "name": "王小明",
    "kind": "person",
    "segment": "retail",
    "branch": "D1",
    "manager": "RM-1",
    "opened_on": "1993-02-20",
}


@pytest.fixture
def parts(demo_ledger: Path, tmp_path: Path) -> Iterator[Parts]:
    shutil.copytree(demo_ledger.parent, tmp_path / "copy")
    with opened(Settings(ledger=f"sqlite:{tmp_path / 'copy' / demo_ledger.name}")) as found:
        yield found


def shown(registry: CollectorRegistry) -> dict[str, float]:
    """Return the samples of a scrape by name and labels."""
    lines = generate_latest(registry).decode().splitlines()
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}


def test_serve_shows_the_totals_of_the_whole_ledger(parts: Parts) -> None:
    registry = CollectorRegistry()
    registry.register(LedgerTotals(parts))
    found = shown(registry)
    position = parts.store.position()
    assert found["guanxi_ledger_position"] == position
    appended = [value for name, value in found.items() if name.startswith("guanxi_events_app")]
    assert sum(v for n, v in found.items() if "events_appended_total" in n) == position
    assert appended
    assert found['guanxi_events_appended_total{type="referral-introduced"}'] == 17
    assert found['guanxi_ingest_rows_total{file="balances",outcome="recorded"}'] == 2_187
    assert found['guanxi_compliance_windows{status="breached"}'] >= 17
    for projection in PROJECTIONS:
        label = f'{{projection="{projection.name}"}}'
        assert found[f"guanxi_events_skipped_total{label}"] == 0
        assert found[f"guanxi_projection_position{label}"] == position
        assert found[f"guanxi_projection_lag_seconds{label}"] == 0
        assert found[f"guanxi_parked_oldest_seconds{label}"] == 0


def test_a_view_that_lags_shows_events_and_seconds_and_an_append_is_timed(parts: Parts) -> None:
    registry = CollectorRegistry()
    observer = ServedMetrics(registry)
    registry.register(LedgerTotals(parts))
    command = FORMS["open-relationship"].command(CUSTOMER)
    parts.ledger(on_append=observer.appended).handle([Told(command, "me", "api", "c1")])
    found = shown(registry)
    assert found["guanxi_append_seconds_count"] == 1
    assert found["guanxi_append_seconds_sum"] > 0
    assert found['guanxi_projection_lag_events{projection="network"}'] == 1
    assert 0 < found['guanxi_projection_lag_seconds{projection="network"}'] < 60
    parts.catch_up()
    assert shown(registry)['guanxi_projection_lag_seconds{projection="network"}'] == 0


def test_rows_that_were_rejected_stay_counted(parts: Parts) -> None:
    registry = CollectorRegistry()
    registry.register(LedgerTotals(parts))
    table = "INSERT INTO feed_file VALUES ('loans.csv', 'aa', 0, '[2, 7]')"
    with parts.store.database.transaction() as connection:
        connection.execute(table)
    name = 'guanxi_ingest_rows_total{file="loans",outcome="rejected"}'
    assert shown(registry)[name] == 2
    with parts.store.database.transaction() as connection:
        connection.execute("UPDATE feed_file SET rejected_lines = '[]' WHERE sha256 = 'aa'")
    assert shown(registry)[name] == 2


def test_a_relay_shows_what_it_published_and_what_it_waits_for() -> None:
    registry = CollectorRegistry()
    observer = RelayMetrics(registry)
    assert observer.waits_for() == ("the ledger",)
    observer.leader(leads=True)
    observer.published("guanxi.loan.v1", 3)
    observer.position(7, 2, heard=True)
    assert observer.waits_for() == ()
    observer.fault(OSError("the broker is away"), 0.5)
    assert observer.waits_for() == ("the broker is away",)
    assert shown(registry)['guanxi_events_published_total{topic="guanxi.loan.v1"}'] == 3
    for name, value in (("position", 7), ("lag_events", 2), ("leader", 1), ("faults_total", 1)):
        assert shown(registry)[f"guanxi_relay_{name}"] == value


def test_a_relay_that_no_broker_answers_says_so_until_one_does() -> None:
    seconds = [0.0]
    registry = CollectorRegistry()
    observer = RelayMetrics(registry, lambda: seconds[0])
    observer.position(7, 2, heard=True)
    seconds[0] = 4.0
    observer.position(7, 3, heard=True)
    assert observer.waits_for() == ()
    with capture_logs() as logs:
        for seconds[0] in (6.0, 7.0, 10.0, 12.0, 18.0):
            observer.position(7, 3, heard=True)
        assert observer.waits_for() == ("Kafka acknowledges nothing: 3 events wait for it",)
        assert shown(registry)["guanxi_relay_faults_total"] == 3
        observer.position(8, 2, heard=True)
    assert observer.waits_for() == ()
    assert [line["event"] for line in logs] == ["waiting"] * 3 + ["waiting is over"]


def test_a_relay_that_leads_anew_gives_kafka_time_to_acknowledge() -> None:
    seconds = [0.0]
    observer = RelayMetrics(CollectorRegistry(), lambda: seconds[0])
    observer.position(7, 2, heard=True)
    seconds[0] = 60.0
    observer.leader(leads=True)
    observer.position(7, 2, heard=True)
    assert observer.waits_for() == ()


def test_an_idle_relay_whose_horizon_is_not_acknowledged_says_so() -> None:
    seconds = [0.0]
    observer = RelayMetrics(CollectorRegistry(), lambda: seconds[0])
    observer.position(7, 0, heard=True)
    seconds[0] = 6.0
    observer.position(7, 0, heard=False)
    assert observer.waits_for() == ("Kafka acknowledges nothing: the horizon waits for it",)
    observer.position(7, 0, heard=True)
    assert observer.waits_for() == ()


def test_a_projector_lags_behind_the_store_though_no_broker_tells_it_so(parts: Parts) -> None:
    registry = CollectorRegistry()
    observer = ProjectorMetrics(registry)
    observer.follows(parts.store, source=None)
    end = parts.store.position()
    observer.stands([Standing("network", 1, end - 5, 0, 0), Standing("loans", 1, end, 3, 0)])
    found = shown(registry)
    assert found['guanxi_projection_lag_events{projection="network"}'] == 5
    (waiting,) = parts.store.read(end - 5, 1)
    age_seconds = time.time() - waiting.recorded_at / 1_000_000
    seconds = found['guanxi_projection_lag_seconds{projection="network"}']
    assert 0 < seconds == pytest.approx(age_seconds, abs=5)
    assert found['guanxi_projection_lag_events{projection="loans"}'] == 3


def test_what_keeps_records_from_a_projector_is_counted_and_its_source_tells_of_it() -> None:
    registry = CollectorRegistry()
    observer = ProjectorMetrics(registry)
    for error in (KafkaUnavailableError("away"), RecordsMissingError("gone")):
        observer.fault(error)
    assert observer.waits_for() == ("the ledger",)
    assert shown(registry)["guanxi_projection_faults_total"] == 2
    assert shown(registry)["guanxi_records_missing_total"] == 1
    observer.fault(StoreUnavailableError("restarting"))
    assert observer.waits_for() == ("restarting",)
    assert shown(registry)["guanxi_records_missing_total"] == 1


def test_what_was_lost_and_is_back_is_told_in_two_lines() -> None:
    waiting = Waiting()
    with capture_logs() as logs:
        waiting.is_ready()
        waiting.outage(StoreUnavailableError("restarting"), 1.0)
        waiting.is_ready()
        waiting.is_ready()
    told = [(line["event"], line["code"]) for line in logs]
    assert told == [("waiting", "store-unavailable"), ("waiting is over", "store-unavailable")]


def test_what_is_waited_for_next_replaces_what_is_back() -> None:
    waiting = Waiting()
    with capture_logs() as logs:
        waiting.outage(StoreUnavailableError("restarting"), 1.0)
        waiting.goes_on_to("Kafka at x:1")
    assert waiting.waits_for() == ("Kafka at x:1",)
    assert [line["event"] for line in logs] == ["waiting", "waiting is over"]


def test_a_relay_that_stands_by_is_ready_and_one_that_has_lost_its_term_is_not() -> None:
    observer = RelayMetrics(CollectorRegistry())
    observer.leader(leads=True)
    observer.fault(KafkaUnavailableError("away"), 0.5)
    observer.leader(leads=False)
    assert observer.waits_for() == ("away",)
    observer.stands_by()
    assert observer.waits_for() == ()


def test_a_projector_shows_where_it_stands_and_zero_for_what_never_was(parts: Parts) -> None:
    registry = CollectorRegistry()
    observer = ProjectorMetrics(registry)
    skipped = [name for name in shown(registry) if name.startswith("guanxi_events_skipped_total")]
    assert len(skipped) == len(PROJECTIONS)
    observer.follows(parts.store, source=None)
    assert observer.waits_for() == ("the ledger",)
    observer.stands([Standing("network", 1, parts.store.position(), 0, 2)])
    observer.applied("network", 5, 0.01)
    assert observer.waits_for() == ()
    found = shown(registry)
    assert found["guanxi_records_missing_total"] == 0
    assert found['guanxi_projection_lag_events{projection="network"}'] == 0
    assert found['guanxi_projection_lag_seconds{projection="network"}'] == 0
    assert found['guanxi_parked_keys{projection="network"}'] == 2
    assert found['guanxi_apply_seconds_count{projection="network"}'] == 1
    assert found['guanxi_events_applied_total{projection="network"}'] == 5


def test_every_metric_that_is_shown_is_specified_with_its_labels(parts: Parts) -> None:
    registries = [CollectorRegistry() for _ in range(3)]
    RelayMetrics(registries[0]).published("t", 1)
    projecting = ProjectorMetrics(registries[1])
    projecting.follows(parts.store, source=None)
    projecting.stands([Standing("network", 1, 9, 3, 2)])
    ServedMetrics(registries[2]).applied("network", 1, 0.1)
    registries[2].register(LedgerTotals(parts))
    by_name = {spec.name: spec for spec in metrics.SPECS}
    for registry in registries:
        for sample in shown(registry):
            name, _, labels = sample.partition("{")
            name = re.sub(r"_(bucket|count|sum|created)$", "", name)
            if name not in by_name:
                name += "_total"  # the creation time of a counter
            told = set(re.findall(r"(\w+)=\"", labels)) - {"le"}
            assert told == set(by_name[name].labels), sample


def test_no_label_holds_a_customer() -> None:
    assert not {"customer_id", "customer"} & {label for s in metrics.SPECS for label in s.labels}
