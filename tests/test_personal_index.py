"""Names, phones and birthdays are found while they may be, and gone once they are forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.keyring import Keyring, normal
from infra.personal_index import PersonalIndex
from tests.write_side import (
    MASTER,
    REFERRAL,
    RELATIONSHIP,
    events,
    ledger_at,
    make_ledger,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.ledger import Ledger

PHONE = "+86 138 0013 8000"
ADA = RELATIONSHIP | {"birth_date": "1961-02-28", "phone": PHONE}
FORGET = {"customer_id": "C1", "forgotten_on": "2024-05-01", "reason": "asked for"}
PROSPECT = {"customer_id": "C9", "described_on": "2024-02-02", "by": "RM-1", "phone": PHONE}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.cluster)])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    if request.param == "sqlite":
        url = f"sqlite:{tmp_path / 'ledger.db'}"
    else:
        url = request.getfixturevalue("postgresql_url")
    make_ledger(url)
    with ledger_at(url) as opened:
        yield opened


def index_of(ledger: Ledger, *, caught_up: bool = True) -> PersonalIndex:
    index = PersonalIndex(ledger.store, Keyring(ledger.store.database, MASTER))
    if caught_up:
        index.catch_up()
    return index


def test_a_customer_is_found_by_phone_and_name_however_they_are_written(ledger: Ledger) -> None:
    ledger.handle([told("open-relationship", ADA)])
    index = index_of(ledger)
    assert index.found("phone", "0086-13800138000") == ["C1"]
    assert index.found("name", " 王小明 ") == ["C1"]
    assert index.found("phone", "13800138000") == []
    assert index.birthdays(1) == {"C1": "02-28"}
    assert index.birthdays(0) == {}


def test_a_prospect_is_found_by_the_hash_alone_and_so_is_the_same_one_brought_twice(
    ledger: Ledger,
) -> None:
    twin = PROSPECT | {"customer_id": "C8"}
    ledger.handle(
        [
            told("open-relationship", RELATIONSHIP),
            told("introduce-referral", REFERRAL),
            told("introduce-referral", REFERRAL, referral_id="R2", prospect_id="C8"),
            told("describe-prospect", PROSPECT),
            told("describe-prospect", twin, phone="008613800138000"),
        ]
    )
    assert index_of(ledger).found("phone", PHONE) == ["C8", "C9"]
    described = [event for event in events(ledger) if type(event).__name__ == "ProspectDescribed"]
    assert {event.phone for event in described} == {None}  # type: ignore[union-attr]  # of that type
    assert len({event.phone_hash for event in described}) == 1  # type: ignore[union-attr]  # as above


def test_what_the_profile_no_longer_says_is_no_longer_found(ledger: Ledger) -> None:
    ledger.handle([told("open-relationship", ADA)])
    index = index_of(ledger)
    changed = {k: RELATIONSHIP[k] for k in ("customer_id", "name", "segment", "branch")}
    ledger.handle([told("change-profile", changed | {"name": "Wang"})])
    index.catch_up()
    assert index.found("phone", PHONE) == []
    assert index.found("name", "wang") == ["C1"]
    assert index.birthdays(2) == {}


def test_forgetting_empties_the_index_at_once_and_a_new_one_finds_nothing(ledger: Ledger) -> None:
    ledger.handle([told("open-relationship", ADA)])
    index_of(ledger)
    ledger.handle([told("forget-relationship", FORGET)])
    index = index_of(ledger, caught_up=False)
    assert (index.found("phone", PHONE), index.birthdays(9)) == ([], {})
    index.catch_up()
    assert (index.found("phone", PHONE), index.birthdays(9)) == ([], {})


def test_an_index_that_takes_up_what_was_forgotten_since_keeps_nothing_of_it(
    ledger: Ledger,
) -> None:
    ledger.handle([told("open-relationship", ADA), told("forget-relationship", FORGET)])
    index = index_of(ledger)
    assert (index.found("name", "王小明"), index.birthdays(9)) == ([], {})


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("phone", "+86 138-0013", "861380013"),
        ("phone", "0086 (138) 0013", "861380013"),
        ("name", "  Ada   LOVELACE ", "ada lovelace"),
        ("name", "ＡＤＡ", "ada"),
    ],
)
def test_values_are_compared_in_one_spelling(kind: str, value: str, expected: str) -> None:
    assert normal(kind, value) == expected  # type: ignore[arg-type]  # one of the two kinds
