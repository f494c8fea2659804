"""Circles as the command line and HTTP answer them, over one small ledger that was fed."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import networkx as nx
import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator
from prometheus_client import CollectorRegistry

from infra.cli.settings import Settings
from infra.composition import opened
from infra.http.application import application
from infra.http.served import Served
from tests.surfaces.cli import guanxi
from tests.write_side import ACCOUNT, BALANCE, DRAW, GUARANTEE, LOAN, RELATIONSHIP

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FEED: dict[str, list[Mapping[str, str]]] = {
    "relationships": [{**RELATIONSHIP, "customer_id": who} for who in ("C1", "C2", "C3")],
    "accounts": [{**ACCOUNT, "customer_id": "C2"}],
    "loans": [{**LOAN, "loan_id": f"L{n}", "customer_id": f"C{n}"} for n in (1, 2, 3)],
    "draws": [DRAW],
    "balances": [BALANCE],
    "guarantees": [
        GUARANTEE,
        {**GUARANTEE, "guarantee_id": "G2", "loan_id": "L2", "guarantor_id": "C1"},
        {**GUARANTEE, "guarantee_id": "G3", "loan_id": "L3", "guarantor_id": "P1"},
        {**GUARANTEE, "guarantee_id": "G4", "loan_id": "L404"},
    ],
}
CIRCLE = {"circle_id": "C1", "size": 2, "members": "C1 C2", "guarantees": 2, "exposure": 100_000}


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:{tmp_path / 'ledger.db'}"
    monkeypatch.setenv("GUANXI_LEDGER", url)
    monkeypatch.delenv("GUANXI_KAFKA", raising=False)
    monkeypatch.delenv("GUANXI_KEYS", raising=False)
    assert guanxi("init").status == 0
    feed = tmp_path / "feed"
    feed.mkdir()
    for kind, rows in FEED.items():
        with (feed / f"{kind}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    assert guanxi("ingest", str(feed), "--rejects", str(tmp_path / "rejects.csv")).status == 3
    assert "unknown-loan" in (tmp_path / "rejects.csv").read_text("utf-8")
    return url


@pytest.mark.usefixtures("ledger")
def test_circles_are_exported_as_of_a_date() -> None:
    header, row = guanxi("export", "circles").out.splitlines()
    assert header == "circle_id,size,members,guarantees,exposure"
    assert row == "C1,2,C1 C2,2,100000"
    before = guanxi("export", "circles", "--as-of", "2024-01-02")
    assert before.out.splitlines() == [header]


@pytest.mark.usefixtures("ledger")
def test_circles_are_shown_to_people_and_to_programs() -> None:
    document = guanxi("show", "circles", "--json").document()
    [circle] = document["circles"]
    assert {name: circle[name] for name in CIRCLE} == CIRCLE
    assert [edge["guarantee_id"] for edge in circle["edges"]] == ["G1", "G2"]
    assert [group["members"] for group in document["groups"]] == ["C1 C2", "C3 P1"]
    assert document["joint_liability_groups"] == []
    text = guanxi("show", "circles").out
    assert "Circle C1 of 2: 2 guarantees, 1,000.00" in text


@pytest.mark.usefixtures("ledger")
def test_the_losses_of_one_default_are_shown_by_steps() -> None:
    walk = guanxi("show", "circles", "--default", "C1", "--json").document()
    assert [each["customer_id"] for each in walk["defaults"]] == ["C1", "C2"]
    assert [(each["called"], each["paid"]) for each in walk["calls"]] == [(50_000, 1_250)]
    assert (walk["owed"], walk["paid"], walk["lost"]) == (100_000, 1_250, 98_750)
    assert "lost 987.50" in guanxi("show", "circles", "--default", "C1").out
    nobody = guanxi("show", "circles", "--default", "P1")
    assert (nobody.status, "not-found" in nobody.err) == (1, True)


@pytest.mark.usefixtures("ledger")
def test_the_network_leaves_as_a_graph(tmp_path: Path) -> None:
    out = tmp_path / "network.graphml"
    assert guanxi("export", "network", "--format", "graphml", "--out", str(out)).status == 0
    graph = nx.read_graphml(out)
    assert set(graph) == {"C1", "C2", "C3", "P1"}
    edges = guanxi("export", "network", "--format", "edges").out.splitlines()
    assert edges[0] == "source,target,relation,edge_id,since,amount"
    assert edges[-1] == "C3,P1,referral,guarantor-G3,2024-01-03,"
    assert len(edges) == 5
    refused = guanxi("export", "circles", "--format", "graphml")
    assert (refused.status, "bad-call" in refused.err) == (2, True)


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("words", "nodes", "edges"),
    [(("circles",), 4, 3), (("network",), 2, 1), (("network", "P1"), 1, 0)],
)
def test_a_network_is_written_as_a_page(
    tmp_path: Path, words: tuple[str, ...], nodes: int, edges: int
) -> None:
    out = tmp_path / "page.html"
    document = guanxi("show", *words, "--html", str(out), "--json").document()
    assert (document["nodes"], document["edges"]) == (nodes, edges)
    assert out.read_text("utf-8").startswith("<!doctype html>")
    assert guanxi("show", *words, "--html", str(out)).out.split() == (
        f"{nodes} nodes and {edges} edges in {out}".split()
    )


@pytest.mark.usefixtures("ledger")
def test_a_page_that_cannot_be_written_or_makes_no_sense_is_refused(tmp_path: Path) -> None:
    out = str(tmp_path / "page.html")
    for words, status, code in (
        (("network",), 2, "bad-call"),
        (("circles", "--default", "C1", "--html", out), 2, "bad-call"),
        (("network", "C404", "--html", out), 1, "not-found"),
        (("circles", "--html", str(tmp_path / "nowhere" / "page.html")), 1, "system"),
    ):
        refused = guanxi("show", *words)
        assert (refused.status, code in refused.err) == (status, True)
    assert not (tmp_path / "page.html").exists()


@pytest.mark.usefixtures("ledger")
def test_a_relationship_counts_its_guarantees() -> None:
    found = guanxi("show", "relationship", "C1", "--json").document()
    assert (found["guarantees_given"], found["guarantees_received"]) == (1, 1)


def test_circles_are_served_page_by_page_as_documented(ledger: str) -> None:
    with opened(Settings(ledger=ledger)) as parts:
        parts.catch_up()
        served = Served()
        served.open(parts, parts.ledger())
        client = TestClient(application(served, CollectorRegistry()))
        answer = client.get("/circles").json()
        assert (len(answer["circles"]), answer["next"]) == (1, None)
        assert answer["circles"][0]["parties"][1]["capacity"] == 1_250
        groups = client.get("/circles/groups?limit=1").json()
        assert ([row["members"] for row in groups["groups"]], groups["next"]) == (["C1 C2"], "C1")
        rest = client.get("/circles/groups?after=C1").json()
        assert [row["members"] for row in rest["groups"]] == ["C3 P1"]
        walk = client.get("/guarantees/C1/loss-walk").json()
        assert (walk["owed"], walk["paid"], walk["lost"]) == (100_000, 1_250, 98_750)
        contract = client.get("/openapi.json").json()
        content = contract["paths"]["/circles"]["get"]["responses"]["200"]["content"]
        schema = content["application/json"]["schema"]
        Draft202012Validator({**schema, "components": contract["components"]}).validate(answer)
        assert client.get("/circles?after=C1").json()["circles"] == []
        assert client.get("/circles?as_of=2024-01-02").json()["circles"] == []
        assert client.get("/circles?limit=0").status_code in {400, 422}
