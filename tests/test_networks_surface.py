"""Figures of the networks as the command line answers them, over the demo's ledger."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from projections.bursts import BurstRow
from projections.contagion import ContagionRow
from projections.leaders import LeaderRow
from projections.network_figures import FigureRow
from projections.partners import PartnerRow
from tests.surfaces.cli import guanxi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.surfaces.cli import Answer


@pytest.fixture(autouse=True, scope="module")
def ledger(demo_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = shutil.copytree(demo_ledger.parent, tmp_path_factory.mktemp("networks") / "copy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GUANXI_LEDGER", f"sqlite:{folder / demo_ledger.name}")
        patch.delenv("GUANXI_KAFKA", raising=False)
        patch.delenv("GUANXI_KEYS", raising=False)
        yield


def shown(*words: str) -> Answer:
    answer = guanxi("show", *words)
    assert answer.status == 0, answer.err
    return answer


@pytest.mark.parametrize("by", ["conversions", "drawn", "deposits", "influence"])
def test_leaders_are_shown_by_each_figure(by: str) -> None:
    found = shown("leaders", "--by", by, "--limit", "3", "--json").document()
    column = {
        "conversions": "converted_descendants",
        "drawn": "subtree_drawn",
        "deposits": "subtree_deposits",
        "influence": "influence_ppb",
    }[by]
    figures = [row[column] for row in found["leaders"]]
    assert figures == sorted(figures, reverse=True)
    assert found["by"] == by
    assert len(figures) <= 3
    assert found["leaders"][0]["customer_id"] in shown("leaders", "--by", by).out


def test_leaders_by_what_nobody_counts_is_a_wrong_call() -> None:
    answer = guanxi("show", "leaders", "--by", "charm")
    assert (answer.status, "bad-call" in answer.err) == (2, True)


def test_the_figures_of_all_cohorts_branches_and_depths_are_shown() -> None:
    found = shown("network-figures", "--json").document()
    grouped = [row["grouped_by"] for row in found["figures"]]
    assert list(dict.fromkeys(grouped)) == ["all", "cohort", "branch", "depth"]
    assert "Observed K" in shown("network-figures").out


@pytest.mark.parametrize(
    ("view", "columns"),
    [
        ("leaders", LeaderRow._fields),
        ("network-figures", FigureRow._fields),
        ("bursts", BurstRow._fields),
        ("contagion", ContagionRow._fields),
        ("partners", PartnerRow._fields),
    ],
)
def test_each_answer_is_exported_in_every_format(
    view: str, columns: tuple[str, ...], tmp_path: Path
) -> None:
    assert guanxi("export", view).out.splitlines()[0] == ",".join(columns)
    for format_ in ("jsonl", "parquet"):
        out = tmp_path / f"{view}.{format_}"
        assert guanxi("export", view, "--format", format_, "--out", str(out)).status == 0


def test_whose_default_costs_the_most_is_shown_first() -> None:
    lost = [row["lost"] for row in shown("contagion", "--json").document()["rows"]]
    assert lost == sorted(lost, reverse=True)
    assert "What they brought" in shown("contagion").out


def recorded(command: str, **columns: str | int) -> Answer:
    return guanxi("record", command, json.dumps(columns))


def test_a_partner_agreed_on_without_checks_is_shown_and_flagged() -> None:
    agreement = {
        "agreement_id": "AG1",
        "customer_id": "GX-001",
        "agreed_on": "1993-02-01",
        "starts_on": "1993-02-01",
        "ends_on": "1994-01-31",
        "approved_by": "HEAD-1",
    }
    assert recorded("agree-partner", **agreement).status == 0
    check: dict[str, str | int] = {
        "admission_check_id": "AC1",
        "customer_id": "GX-001",
        "subject": "breaches",
        "result": "passed",
        "figure": 0,
        "evidence": "letter of the registry",
        "checked_on": "1993-02-02",
        "by": "RM-1",
    }
    assert recorded("check-partner-admission", **check).status == 0
    [found] = shown("partners", "--json").document()["partners"]
    assert (found["partner_id"], found["agreement"], found["admission"]) == (
        "GX-001",
        "running",
        "lacking",
    )
    assert found["lacked"] == "licence accounts rating own_debts guarantees_given breaches"
    assert found["lacks"] == "licence accounts rating own_debts guarantees_given"
    assert "agreed on 1993-02-01 without: licence" in shown("partners").out


def test_an_agreement_nobody_made_cannot_end() -> None:
    told = {"customer_id": "GX-001", "ended_on": "1993-02-02", "reason": "sold", "by": "HEAD-1"}
    answer = recorded("end-partner", agreement_id="AG404", **told)
    assert (answer.status, "unknown-agreement" in answer.err) == (1, True)


def test_who_refers_before_being_a_customer_is_in_all_answers_but_the_network_export() -> None:
    person = {"kind": "person", "segment": "retail", "branch": "B7", "manager": "RM-1"}
    known = person | {"customer_id": "Q1", "name": "Q", "opened_on": "1993-03-01"}
    assert recorded("open-relationship", **known).status == 0
    told = {"introduced_on": "1993-02-01", "via": "customer", "by": "RM-1", "branch": "B7"}
    brought = {"referral_id": "RQ1", "referrer_id": "Q1", "prospect_id": "N1", **told}
    assert recorded("introduce-referral", **brought).status == 0
    as_of = ("--as-of", "1993-02-20", "--json")
    nodes = shown("network", "Q1", *as_of).document()["nodes"]
    assert [(row["customer_id"], row["root_id"], row["depth"]) for row in nodes] == [
        ("Q1", "Q1", 0),
        ("N1", "Q1", 1),
    ]
    for view, has_row in (("leaders", True), ("contagion", True), ("network", False)):
        rows = guanxi("export", view, *as_of).document()["rows"]
        found = [row["descendants"] for row in rows if row["customer_id"] == "Q1"]
        assert found == ([1] if has_row else []), view
    assert guanxi("show", "network", "Q1", "--as-of", "1993-01-31").status == 1
