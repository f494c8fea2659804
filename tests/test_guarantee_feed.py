"""Guarantees through the write side: the feed, both customers of one append, races."""

from __future__ import annotations

import csv
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from domain.guarantee import GuaranteeGiven, GuaranteeReleased
from domain.referral import ReferralDeclined, ReferralIntroduced
from infra.feeds.ingest import ingest
from infra.ledger import Recorded, Refused, Unchanged
from tests.write_side import (
    GUARANTEE,
    LOAN,
    REFERRAL,
    RELATIONSHIP,
    events,
    ledger_at,
    new_ledger,
    recorded,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from infra.ledger import Ledger

OTHER = {**RELATIONSHIP, "customer_id": "C2"}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger with one customer and their loan."""
    with new_ledger(tmp_path) as ledger:
        ledger.handle([told("open-relationship", RELATIONSHIP), told("approve-loan", LOAN)])
        yield ledger


def fed(ledger: Ledger, folder: Path, **files: list[Mapping[str, str]]) -> list[tuple[str, ...]]:
    """Ingest files of rows; return the file, line and code of each reject."""
    folder.mkdir(exist_ok=True)
    for kind, rows in files.items():
        columns = list(dict.fromkeys(name for row in rows for name in row))
        with (folder / f"{kind}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
    rejects = folder.with_name("rejects.csv")
    rejects.unlink(missing_ok=True)
    ingest(folder, ledger, rejects)
    if not rejects.exists():
        return []
    with rejects.open(encoding="utf-8", newline="") as file:
        return [(row["file"], row["line"], row["code"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"loan_id": "L404"}, "unknown-loan"),
        ({"currency": "EUR"}, "another-currency"),
        ({"guarantor_id": "C1"}, "self-guarantee"),
        ({"guarantor_id": "ledger"}, "reserved-id"),
        ({"amount": "0"}, "not-positive"),
        ({"amount": "-5.00"}, "not-positive"),
        ({"amount": "1.005"}, "too-many-decimals"),
        ({"released_on": "2024-01-02"}, "dates-out-of-order"),
        ({"given_on": ""}, "empty-value"),
        ({"guarantee_id": "G1", "amount": "501.00"}, "conflict"),
        ({"guarantee_id": "G1", "guarantor_id": "C3"}, "conflict"),
    ],
)
def test_a_bad_row_is_rejected_alone(
    ledger: Ledger, tmp_path: Path, changes: dict[str, str], code: str
) -> None:
    bad = {**GUARANTEE, "guarantee_id": "G2", **changes}
    last = {**GUARANTEE, "guarantee_id": "G3"}
    rejected = fed(
        ledger, tmp_path / "feed", relationships=[OTHER], guarantees=[GUARANTEE, bad, last]
    )
    assert rejected == [("guarantees.csv", "3", code)]
    given = [each.guarantee_id for each in events(ledger) if isinstance(each, GuaranteeGiven)]
    assert given == ["G1", "G3"]


def test_a_row_told_again_changes_nothing_and_with_a_release_is_one(
    ledger: Ledger, tmp_path: Path
) -> None:
    feed = tmp_path / "feed"
    assert fed(ledger, feed, relationships=[OTHER], guarantees=[GUARANTEE]) == []
    position = ledger.store.position()
    assert fed(ledger, feed, guarantees=[{**GUARANTEE, "amount": "500.0"}]) == []
    assert ledger.store.position() == position
    ended = {**GUARANTEE, "released_on": "2024-06-01"}
    assert fed(ledger, feed, guarantees=[ended]) == []
    assert fed(ledger, feed, guarantees=[{**ended, "released_on": "2024-05-01"}]) == []
    anew = {**GUARANTEE, "amount": "0500.00"}  # another file, for the first is remembered
    assert fed(ledger, feed, guarantees=[anew]) == [("guarantees.csv", "2", "conflict")]
    released = [
        str(each.released_on) for each in events(ledger) if isinstance(each, GuaranteeReleased)
    ]
    assert released == ["2024-06-01", "2024-05-01"]
    assert ledger.store.position() == position + 2


def test_json_lines_are_taken_like_csv(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "feed").mkdir()
    row = json.dumps({**GUARANTEE, "released_on": None})
    (tmp_path / "feed" / "guarantees.jsonl").write_text(row + "\n")
    assert fed(ledger, tmp_path / "feed") == []
    assert isinstance(events(ledger)[2], GuaranteeGiven)


def test_one_append_holds_the_guarantee_and_the_prospect_each_under_its_own_key(
    ledger: Ledger,
) -> None:
    [outcome] = ledger.handle([told("give-guarantee", GUARANTEE)])
    assert outcome == Recorded(4)
    guarantee, referral = recorded(ledger)[2:]
    assert (guarantee.stream, guarantee.customer_id) == ("guarantee-G1", "C1")
    assert (referral.stream, referral.customer_id) == ("prospect-C2", "C2")
    assert isinstance(referral.event, ReferralIntroduced)
    assert (referral.event.referrer_id, referral.event.via) == ("C1", "guarantor")
    assert (referral.event.by, referral.event.branch) == ("RM-1", "D1")
    assert referral.occurred_on == guarantee.occurred_on


def test_the_referral_of_a_guarantee_has_its_claim(ledger: Ledger) -> None:
    ledger.handle([told("give-guarantee", GUARANTEE)])
    decline = {"referral_id": "guarantor-G1", "declined_on": "2024-02-01", "reason": "moved"}
    assert ledger.handle([told("decline-referral", decline)]) == [Recorded(5)]
    event = events(ledger)[-1]
    assert isinstance(event, ReferralDeclined)
    assert event.customer_id == "C2"
    told_again = {**GUARANTEE, "released_on": "2024-03-01"}
    assert ledger.handle([told("give-guarantee", told_again)]) == [Recorded(6)]
    assert isinstance(events(ledger)[-1], GuaranteeReleased)


def test_a_batch_sees_the_prospect_that_an_earlier_row_made(ledger: Ledger) -> None:
    second = told("give-guarantee", GUARANTEE, guarantee_id="G2")
    rival = told("introduce-referral", {**REFERRAL, "prospect_id": "C2"})
    outcomes = ledger.handle([told("give-guarantee", GUARANTEE), second, second, rival])
    assert outcomes[:3] == [Recorded(4), Recorded(5), Unchanged(5)]
    assert isinstance(outcomes[3], Refused)
    assert outcomes[3].error.code == "second-referrer"


def test_a_guarantee_is_released_by_its_command(ledger: Ledger) -> None:
    release = told("release-guarantee", {"guarantee_id": "G1", "released_on": "2024-05-01"})
    [early, given, late, again] = ledger.handle(
        [release, told("give-guarantee", GUARANTEE), release, release]
    )
    assert isinstance(early, Refused)
    assert early.error.code == "unknown-guarantee"
    assert (given, late, again) == (Recorded(4), Recorded(5), Unchanged(5))


def test_two_writers_make_one_prospect_of_a_guarantor(tmp_path: Path) -> None:
    """Both decide on a guarantor without a referrer: one append is decided again."""
    borrowers = [f"C{number}" for number in range(8)]
    with new_ledger(tmp_path) as ledger:
        for who in borrowers:
            ledger.handle(
                [
                    told("open-relationship", RELATIONSHIP, customer_id=who),
                    told("approve-loan", LOAN, loan_id=f"L-{who}", customer_id=who),
                ]
            )

        def stand_for(who: str) -> None:
            with ledger_at(f"sqlite:{tmp_path / 'ledger.db'}") as own:
                row = {**GUARANTEE, "loan_id": f"L-{who}", "guarantor_id": "P"}
                own.handle([told("give-guarantee", row, guarantee_id=f"G-{who}")])

        with ThreadPoolExecutor(len(borrowers)) as writers:
            list(writers.map(stand_for, borrowers))
        told_of = [type(event) for event in events(ledger)]
        assert told_of.count(GuaranteeGiven) == len(borrowers)
        assert told_of.count(ReferralIntroduced) == 1
