"""To whom a conversion is owed: which touch counts, who shares it, and what they get together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.values import ONE, apportion
from projections.book import Book
from projections.facts import Contact, Profile, Referral
from projections.referral_attribution import (
    AttributionRules,
    AttributionRulesFile,
    Share,
    Split,
    attribution,
)
from tests.books import account, contact, customer, day

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from projections.facts import Key, Row
    from projections.referral_attribution import Attribution

RULES = AttributionRules(
    version=1,
    in_force_from=day(0),
    touch="first",
    look_back_days=30,
    claim_days=20,
    branch_conflict="touch",
    split=Split(referrer=70, teller=20, contact=10),
)
CONVERTED, CLAIMED = day(40), day(45)


def touch(
    referrer_id: str, on: int, ended: int | None = None, branch: str = "B1", via: str = "customer"
) -> Referral:
    return Referral(
        referrer_id=referrer_id,
        introduced_on=day(on),
        via=via,
        branch=branch,
        by=f"RM-{referrer_id}",
        ended_on=None if ended is None else day(ended),
    )


def owed(
    *touches: Referral,
    rules: AttributionRules = RULES,
    as_of: date = CLAIMED,
    seen: Sequence[Contact] = (),
) -> Attribution:
    """Return to whom the conversion of P is owed, whose first account is of day 40."""
    rows: list[tuple[Key, Row]] = [
        (("P", "referral", f"R{number}"), each) for number, each in enumerate(touches, 1)
    ]
    rows.append((("P", "account", "A"), account(CONVERTED)))
    rows += [(("P", "contact", f"T{number}"), row) for number, row in enumerate(seen)]
    rows.append((("P", "customer", ""), replace(customer(CONVERTED), profiles=PROFILES)))
    return attribution(Book.from_rows(rows), "P", as_of, (rules,))


PROFILES = (Profile(CONVERTED, "retail", "B2"),)


def test_the_first_touch_counts_though_it_was_declined() -> None:
    found = owed(touch("X", 15, ended=20), touch("Y", 25))
    assert (found.referral_id, found.converted_on, found.nobody) == ("R1", CONVERTED, "")
    assert found.shares[0].party_id == "X"


def test_the_last_touch_counts_where_the_rule_says_so() -> None:
    found = owed(touch("X", 15, ended=20), touch("Y", 25), rules=replace(RULES, touch="last"))
    assert (found.referral_id, found.branch, found.shares[0].party_id) == ("R2", "B1", "Y")


def test_a_touch_before_the_look_back_days_does_not_count() -> None:
    assert owed(touch("X", 10, ended=20), touch("Y", 25)).referral_id == "R1"
    assert owed(touch("X", 9, ended=20), touch("Y", 25)).referral_id == "R2"
    nobody = owed(touch("X", 9))
    assert (nobody.shares, nobody.nobody) == ((), "brought more than 30 days before it")


def test_after_the_claim_deadline_it_is_owed_to_nobody() -> None:
    assert owed(touch("X", 15), as_of=day(60)).shares
    late = owed(touch("X", 15), as_of=day(61))
    assert (late.shares, late.nobody) == ((), "claimed more than 20 days after it")


def test_who_did_not_convert_is_owed_to_nobody() -> None:
    found = owed(touch("X", 15), as_of=day(39))
    assert (found.shares, found.nobody) == ((), "not converted")
    assert owed(touch("X", 15, ended=20)).nobody == "not converted"


def test_the_split_is_of_referrer_teller_and_who_saw_the_prospect() -> None:
    seen = replace(contact(day(30)), by="RM-9")
    found = owed(touch("X", 15), seen=[seen, contact(day(41))])
    assert found.shares == (
        Share("X", "customer", 700_000),
        Share("RM-X", "employee", 200_000),
        Share("RM-9", "employee", 100_000),
    )


def test_who_is_missing_leaves_their_share_to_the_others_in_proportion() -> None:
    assert [share.share_ppm for share in owed(touch("X", 15)).shares] == [777_778, 222_222]


def test_a_prospect_who_told_of_their_own_referral_has_no_share() -> None:
    found = owed(
        replace(touch("X", 15), by="P"), rules=replace(RULES, split=Split(referrer=70, teller=30))
    )
    assert found.shares == (Share("X", "customer", ONE),)


def test_who_is_two_of_them_has_one_share() -> None:
    found = owed(touch("X", 15), seen=[replace(contact(day(30)), by="RM-X")])
    assert found.shares[1] == Share("RM-X", "employee", 300_000)


def test_who_is_two_of_them_in_two_spellings_has_one_share_under_the_first() -> None:
    found = owed(touch("X", 15), seen=[replace(contact(day(30)), by="rm-x ")])
    assert found.shares[1] == Share("RM-X", "employee", 300_000)


def test_a_prospect_in_another_spelling_is_no_teller_nor_who_saw_them() -> None:
    seen = replace(contact(day(30)), by="p")
    found = owed(replace(touch("X", 15), by="P "), seen=[seen])
    assert [share.party_id for share in found.shares] == ["X"]


def test_a_prospect_who_recorded_a_contact_of_their_own_earns_nothing_by_it() -> None:
    own, met = (replace(contact(day(on)), by=by) for on, by in ((20, "P"), (30, "RM-2")))
    assert "P" not in {share.party_id for share in owed(touch("X", 15), seen=[own]).shares}
    assert "RM-2" in {share.party_id for share in owed(touch("X", 15), seen=[own, met]).shares}


def test_the_contact_that_counts_is_the_first_or_the_last() -> None:
    seen = [replace(contact(day(20)), by="RM-1"), replace(contact(day(30)), by="RM-2")]
    assert owed(touch("X", 15), seen=seen).shares[2].party_id == "RM-1"
    last = replace(RULES, touch="last")
    assert owed(touch("X", 15), rules=last, seen=seen).shares[2].party_id == "RM-2"


def test_the_branch_of_the_customer_wins_where_the_rule_says_so() -> None:
    touches = (touch("X", 15, ended=20, branch="B1"), touch("Y", 25, branch="B2"))
    assert owed(*touches).branch == "B1"
    by_customer = replace(RULES, branch_conflict="customer")
    assert owed(*touches, rules=by_customer).branch == "B2"
    assert owed(touch("X", 15, branch="B1"), rules=by_customer).branch == "B1"


def test_the_branch_of_who_is_no_customer_by_the_date_wins_nothing() -> None:
    first, last = touch("X", 15, ended=20, branch="B2"), touch("Y", 25, branch="B1")
    rows: list[tuple[Key, Row]] = [
        (("P", "referral", "R1"), first),
        (("P", "referral", "R2"), replace(last, converted_on=CONVERTED)),
        (("P", "customer", ""), replace(customer(day(50)), profiles=PROFILES)),
    ]
    rules = replace(RULES, touch="last", branch_conflict="customer", claim_days=99)
    claimed = [
        attribution(Book.from_rows(rows), "P", as_of, (rules,)) for as_of in (CLAIMED, day(50))
    ]
    assert [found.branch for found in claimed] == ["B1", "B2"]


def test_the_rules_of_the_day_of_the_conversion_count() -> None:
    later = replace(RULES, version=2, in_force_from=CONVERTED, split=Split(referrer=100))
    rows: list[tuple[Key, Row]] = [
        (("P", "referral", "R1"), touch("X", 15)),
        (("P", "account", "A"), account(CONVERTED)),
    ]
    book = Book.from_rows(rows)
    assert attribution(book, "P", CLAIMED, (RULES, later)).rule_version == 2
    after = replace(later, in_force_from=day(41))
    assert attribution(book, "P", CLAIMED, (RULES, after)).rule_version == 1


@pytest.mark.parametrize(
    ("via", "kind", "role"),
    [
        ("customer", "person", "customer"),
        ("supply_chain", "enterprise", "customer"),
        ("employee", "person", "employee"),
        ("partner", "enterprise", "partner"),
        ("partner", "person", "counterparty_staff"),
    ],
)
def test_a_person_who_came_via_a_partner_is_its_staff(via: str, kind: str, role: str) -> None:
    rows: list[tuple[Key, Row]] = [
        (("P", "referral", "R1"), touch("X", 15, via=via)),
        (("P", "account", "A"), account(CONVERTED)),
        (("X", "customer", ""), replace(customer(), kind=kind)),
    ]
    found = attribution(Book.from_rows(rows), "P", CLAIMED, (RULES,))
    assert found.shares[0].role == role


@pytest.mark.parametrize("split", [(50, 40, 0), (100, 0, 1)])
def test_a_split_that_is_no_split_is_refused(split: tuple[int, int, int]) -> None:
    referrer, teller, seen = split
    with pytest.raises(ValueError, match="not to 100"):
        Split(referrer=referrer, teller=teller, contact=seen)


def test_versions_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="versions: version 1 follows 1; they rise"):
        AttributionRulesFile(versions=(RULES, RULES))
    with pytest.raises(ValueError, match="in_force_from 2023-12-10 follows 2023-12-10; they rise"):
        AttributionRulesFile(versions=(RULES, replace(RULES, version=2, in_force_from=day(0))))


parties = st.sampled_from(["X", "Y", "RM-X", "RM-1"])
touches_told = st.lists(
    st.tuples(parties, st.integers(0, 45), st.none() | st.integers(0, 50)), min_size=1, max_size=5
)
splits = st.tuples(st.integers(1, 100), st.integers(0, 99)).map(
    lambda two: Split(
        referrer=two[0],
        teller=min(two[1], 100 - two[0]),
        contact=100 - two[0] - min(two[1], 100 - two[0]),
    )
)


@given(touches_told, splits, st.sampled_from(["first", "last"]), st.lists(parties, max_size=3))
def test_shares_come_to_exactly_one_million_parts_or_there_are_none(
    told: list[tuple[str, int, int | None]], split: Split, which: str, seen: list[str]
) -> None:
    touches = [
        touch(who, on, None if ended is None else max(on, ended)) for who, on, ended in told
    ]
    rules = replace(RULES, touch="first" if which == "first" else "last", split=split)
    contacts = [replace(contact(day(20 + n)), by=by) for n, by in enumerate(seen)]
    found = owed(*touches, rules=rules, seen=contacts)
    assert sum(share.share_ppm for share in found.shares) == (0 if found.nobody else ONE)
    assert len({share.party_id for share in found.shares}) == len(found.shares)


@given(
    st.integers(0, 10**15),
    st.lists(st.integers(0, ONE), min_size=1, max_size=6).filter(any),
)
def test_parts_come_to_exactly_the_whole_each_within_one_of_its_share(
    whole: int, weights: list[int]
) -> None:
    parts = apportion(whole, weights)
    assert sum(parts) == whole
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - whole * weight) < sum(weights)


def test_of_equal_remainders_the_earlier_gets_more() -> None:
    assert apportion(100, [1, 1, 1]) == [34, 33, 33]
    assert apportion(101, [1, 1, 1]) == [34, 34, 33]
