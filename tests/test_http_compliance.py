"""Commitments over HTTP as known, as reported and explained; and which days are closed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from consumers.event_store import Append, NewRecord
from infra.audit import utc_text
from infra.http.application import application
from infra.http.served import Served
from tests.closing_ledger import K1 as K1_TERMS
from tests.closing_ledger import (
    SHORT,
    amending,
    balances,
    close,
    march,
    new_bank,
    settings_of,
    tell,
    told_by_closes,
)
from tests.surfaces.cli import guanxi
from tests.test_http import documented, problem
from tests.write_side import told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.composition import Parts

K1 = "/commitments/{commitment_id}"


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Parts]:
    """K1 was short and reported as breached on the 8th; then the 3rd of March was corrected."""
    with new_bank(settings_of(tmp_path), *balances(*SHORT)) as parts:
        close(parts, march(7), march(8))
        tell(parts, *balances("70.00", first=march(3)))
        parts.catch_up()
        yield parts


@pytest.fixture
def client(bank: Parts) -> TestClient:
    served = Served()
    served.open(bank, bank.ledger())
    return TestClient(application(served, CollectorRegistry()))


def ask(client: TestClient, url: str, path: str) -> dict[str, Any]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    documented(path, "get", answer)
    found: dict[str, Any] = answer.json()
    return found


def test_a_commitment_is_told_as_known_and_on_demand_as_reported(client: TestClient) -> None:
    known = ask(client, "/commitments/K1", K1)
    assert [each["status"] for each in known["windows"]] == ["met"]
    assert (known["consequences"], "reported" in known) == ([], False)
    both = ask(client, "/commitments/K1?as_reported=true", K1)
    told = [(each["tested_on"], each["outcome"]) for each in both.pop("reported")]
    assert told == [("2024-03-07", "in_cure"), ("2024-03-08", "breached")]
    assert both == known


def test_a_waived_window_stands_beside_who_forgave_it_and_why(
    client: TestClient, bank: Parts
) -> None:
    waiver = {
        "waiver_id": "W1",
        "waived_on": "2024-03-09",
        "windows_from": "2024-03-01",
        "windows_to": "2024-03-01",
        "requested_by": "RM-1",
        "approved_by": "HQ-1",
        "reason": "flood",
    }
    tell(bank, told("waive-commitment", {"commitment_id": "K1", **waiver}))
    bank.catch_up()
    found = ask(client, "/commitments/K1?as_of=2024-03-09", K1)
    assert found["waivers"] == [waiver]
    assert [each["status"] for each in found["windows"]] == ["waived"]
    assert ask(client, "/commitments/K1?as_of=2024-03-08", K1)["waivers"] == []


def test_the_window_that_a_release_cut_can_still_be_forgiven(
    client: TestClient, bank: Parts
) -> None:
    """K1 was released on 3 March, and held too little on the two days before."""
    release = {"commitment_id": "K1", "released_on": "2024-03-03", "reason": "moved"}
    tell(bank, told("release-commitment", release), *balances("70.00"))
    close(bank, march(9))
    waiver = {"waiver_id": "W1", "waived_on": "2024-03-10", "windows_from": "2024-03-01"}
    four_eyes = {"requested_by": "RM-1", "approved_by": "HQ-1", "reason": "flood"}
    words = {"commitment_id": "K1", "windows_to": "2024-03-31", **waiver, **four_eyes}
    tell(bank, told("waive-commitment", words))
    close(bank, march(10))
    bank.catch_up()
    found = ask(client, "/commitments/K1?as_reported=true", K1)
    ends = [(each["window_end"], each["status"]) for each in found["windows"]]
    assert ends == [("2024-03-02", "waived")]
    last = [(each["window_end"], each["outcome"]) for each in found["reported"]][-2:]
    assert last == [("2024-03-02", "breached"), ("2024-03-02", "waived")]


def test_the_answer_is_that_of_the_command_line(client: TestClient, tmp_path: Path) -> None:
    words = ("--ledger", settings_of(tmp_path).ledger, "show", "compliance", "K1", "--json")
    for query, options in (
        ("", ()),
        ("?as_reported=true", ("--as-reported",)),
        (
            "?window=2024-03-02&as_of=2024-03-03",
            ("--window", "2024-03-02", "--as-of", "2024-03-03"),
        ),
    ):
        assert client.get(f"/commitments/K1{query}").json() == guanxi(*words, *options).document()


def test_what_a_breach_costs_is_told_with_its_formula(client: TestClient, bank: Parts) -> None:
    before = utc_text(told_by_closes(bank)[-1].recorded_at).replace("+00:00", "Z")
    found = ask(client, f"/commitments/K1?known_at={before}", K1)
    [cost] = found["consequences"]
    assert (cost["base"], cost["rate"], cost["divisor"], cost["amount"]) == (
        2_000,
        500_000,
        4_000_000,
        250,
    )


def test_a_window_is_explained_day_by_day_with_the_events(client: TestClient, bank: Parts) -> None:
    found = ask(client, "/commitments/K1?window=2024-03-03", K1)["explained"]
    day = found["days"][2]
    assert (day["on"], day["counted"], day["required"]) == ("2024-03-03", 7_000, 10_000)
    [account] = day["accounts"]
    assert account["position"] == bank.store.position()
    problem(client.get("/commitments/K1?window=2024-05-01"), 404, "not-found")


def test_each_window_stands_beside_what_was_reported_of_it_last(client: TestClient) -> None:
    [window] = ask(client, "/compliance?as_reported=true", "/compliance")["windows"]
    assert (window["status"], window["reported"]["outcome"]) == ("met", "breached")
    on_the_day = "/compliance?as_reported=true&as_of=2024-03-07"
    [window] = ask(client, on_the_day, "/compliance")["windows"]
    assert window["reported"]["outcome"] == "in_cure"
    [window] = ask(client, "/compliance?as_reported=true&as_of=2024-03-04", "/compliance")[
        "windows"
    ]
    assert window["reported"] is None


def test_a_window_that_now_ends_on_another_day_was_not_reported_yet(
    client: TestClient, bank: Parts
) -> None:
    longer = {"ends_on": "2024-03-20", "amended_on": "2024-03-09", "effective_on": "2024-03-04"}
    words = amending(K1_TERMS) | longer | {"reason": "second draw"}
    tell(bank, told("amend-commitment", words), *balances("100.00", first=march(9)))
    close(bank, march(9))
    bank.catch_up()
    [window] = ask(client, "/compliance?as_reported=true", "/compliance")["windows"]
    assert (window["window_end"], window["reported"]) == ("2024-03-20", None)
    reported = ask(client, "/commitments/K1?as_reported=true", K1)["reported"]
    assert (reported[-1]["outcome"], reported[-1]["window_end"]) == ("void", "2024-03-04")


def test_reports_are_told_up_to_the_first_that_this_program_cannot_read(
    client: TestClient, bank: Parts
) -> None:
    [last] = bank.store.read_streams(["compliance-K1"])["compliance-K1"][-1:]
    known = NewRecord._fields
    newer = {name: getattr(last, name) for name in known if name != "expected_version"}
    newer |= {"id": str(uuid4()), "version": 99, "expected_version": None}
    bank.store.append(Append(records=(NewRecord(**newer),)))
    reported = ask(client, "/commitments/K1?as_reported=true", K1)["reported"]
    assert [each["outcome"] for each in reported] == ["in_cure", "breached"]


def test_the_days_closed_are_listed_latest_first(client: TestClient, bank: Parts) -> None:
    found = ask(client, "/closes", "/closes")
    assert (found["last_closed"], found["open_day"]) == ("2024-03-08", "2024-03-09")
    latest, before = found["closes"]
    assert (latest["business_date"], before["business_date"]) == ("2024-03-08", "2024-03-07")
    assert (latest["tested"], latest["reported"], latest["balances"]) == (1, 3, "observed")
    assert [each["pack"] for each in latest["packs"]] == ["none", "cn"]
    start = told_by_closes(bank)[0]
    assert (before["through"], before["started_at"]) == (
        start.position,
        utc_text(start.recorded_at),
    )


def test_a_page_of_closes_leads_to_the_next(client: TestClient) -> None:
    first = ask(client, "/closes?limit=1", "/closes")
    assert first["next"] == "2024-03-07"
    rest = ask(client, f"/closes?as_of={first['next']}", "/closes")
    assert [each["business_date"] for each in rest["closes"]] == ["2024-03-07"]
    assert rest["next"] is None


def test_a_close_is_unknown_before_it_was_begun_and_open_until_it_ends(
    client: TestClient, bank: Parts
) -> None:
    start = [each for each in told_by_closes(bank) if each.type == "close-started"][1]
    moment = utc_text(start.recorded_at).replace("+00:00", "Z")
    latest, _ = ask(client, f"/closes?known_at={moment}", "/closes")["closes"]
    assert (latest["closed_at"], latest["tested"]) == (None, None)
    early = datetime.fromtimestamp(0, UTC) + timedelta(days=1)
    never = early.isoformat().replace("+00:00", "Z")
    assert ask(client, f"/closes?known_at={never}", "/closes")["closes"] == []


def test_a_waiver_is_told_over_http_and_a_close_is_not(client: TestClient) -> None:
    waiver = {
        "commitment_id": "K1",
        "waiver_id": "V1",
        "waived_on": "2024-03-09",
        "windows_from": "2024-03-01",
        "windows_to": "2024-03-01",
        "requested_by": "RM-1",
        "approved_by": "RM-1",
        "reason": "flood",
    }
    route = "/commands/waive-commitment"
    alone = client.post(route, headers={"Idempotency-Key": "1"}, json=waiver)
    assert problem(alone, 422, "waiver-by-requester")["field"] == "approved_by"
    for field in ("requested_by", "approved_by", "reason"):
        bare = {**waiver, "approved_by": "HEAD", field: ""}
        answer = client.post(route, headers={"Idempotency-Key": "2"}, json=bare)
        assert (answer.status_code, answer.json()["field"]) == (422, field)
    agreed = {**waiver, "approved_by": "HEAD"}
    assert client.post(route, headers={"Idempotency-Key": "3"}, json=agreed).status_code == 201
    problem(
        client.post("/commands/close", headers={"Idempotency-Key": "4"}, json={}), 404, "not-found"
    )
    problem(client.post("/closes", json={}), 405, "http-error")
