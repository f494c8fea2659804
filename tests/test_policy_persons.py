"""CN-09: a referred person is contacted with a consent, or as the customer that they are."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING

from domain.referral import (
    ReferralContacted,
    ReferralDeclined,
    ReferralIntroduced,
    Via,
)
from domain.relationship import ConsentGiven, ConsentWithdrawn
from tests.policy_cases import approved, contact, customer, found, on, opened

if TYPE_CHECKING:
    from domain.catalogue import Event

cn09 = partial(found, pack="cn", rule="CN-09")


def introduced(day: str, via: Via = "customer", referral_id: str = "R1") -> ReferralIntroduced:
    return ReferralIntroduced(
        customer_id="C1",
        referral_id=referral_id,
        referrer_id="C9",
        introduced_on=on(day),
        via=via,
        by="RM-1",
        branch="B1",
    )


def consent(day: str, purpose: str = "contact") -> ConsentGiven:
    return ConsentGiven(customer_id="C1", purpose=purpose, given_on=on(day))


WITHDRAWN = ConsentWithdrawn(customer_id="C1", purpose="contact", withdrawn_on=on("2022-01-05"))
SPOKEN_TO = ReferralContacted(
    customer_id="C1", referral_id="R1", contacted_on=on("2022-01-05"), by="RM-1"
)


def test_a_referred_person_contacted_without_consent_offends() -> None:
    [finding] = cn09(introduced("2022-01-01"), contact("2022-01-03"), SPOKEN_TO)
    assert finding.facts == ("contact:T1", "referral:R1")
    assert finding.offended_on == on("2022-01-03")
    [finding] = cn09(introduced("2022-01-01"), SPOKEN_TO)
    assert finding.facts == ("referral-contacted:R1", "referral:R1")


def test_a_contact_that_the_person_made_is_no_offence() -> None:
    called = replace(contact("2022-01-03"), direction="inbound")
    assert cn09(introduced("2022-01-01"), called) == []
    [finding] = cn09(introduced("2022-01-01"), called, SPOKEN_TO)
    assert finding.facts == ("referral-contacted:R1", "referral:R1")


def test_consent_in_force_on_the_day_exempts() -> None:
    story = (introduced("2022-01-01"), SPOKEN_TO)
    assert cn09(*story, consent("2022-01-05")) == []
    assert cn09(*story, consent("2022-01-06")) != []
    assert cn09(*story, consent("2022-01-05", "credit bureau")) != []
    assert cn09(*story, consent("2022-01-02"), WITHDRAWN) != []


def test_a_consent_told_late_counts_by_its_own_day() -> None:
    story = (introduced("2022-01-01"), SPOKEN_TO)
    early: Event = replace(WITHDRAWN, withdrawn_on=on("2022-01-02"))
    late: Event = replace(WITHDRAWN, withdrawn_on=on("2022-01-04"))
    for words in permutations([early, consent("2022-01-04")]):
        assert cn09(*story, *words) == []
    for words in permutations([consent("2022-01-02"), late]):
        assert cn09(*story, *words) != []


def test_a_customer_by_contract_and_a_guarantor_are_exempt() -> None:
    assert cn09(introduced("2022-01-01"), opened("2022-01-05"), SPOKEN_TO) == []
    assert cn09(introduced("2022-01-01"), approved("2022-01-05"), SPOKEN_TO) == []
    assert cn09(introduced("2022-01-01"), opened("2022-01-06"), SPOKEN_TO) != []
    assert cn09(introduced("2022-01-01", "guarantor"), SPOKEN_TO) == []


def test_a_contact_before_the_introduction_or_the_law_is_no_offence() -> None:
    assert cn09(introduced("2022-01-04"), contact("2022-01-03")) == []
    assert cn09(introduced("2021-10-01"), contact("2021-10-31")) == []
    assert cn09(introduced("2021-10-01"), contact("2021-11-01")) != []


def test_the_first_contact_under_the_law_offends_whatever_was_before_it() -> None:
    before_the_law = contact("2021-10-01")
    in_law = contact("2021-11-05", contact_id="T2"), contact("2021-11-06", contact_id="T3")
    [finding] = cn09(introduced("2021-09-01"), before_the_law, *in_law)
    assert finding.facts == ("contact:T2", "referral:R1")


DECLINED = ReferralDeclined(
    customer_id="C1", referral_id="R1", declined_on=on("2022-02-01"), reason="no"
)


def test_a_contact_offends_once_under_the_referral_that_stood_on_its_day() -> None:
    brought_twice = (introduced("2022-01-01"), DECLINED, introduced("2022-03-01", "partner", "R2"))
    [finding] = cn09(*brought_twice, contact("2022-03-05"))
    assert finding.facts == ("contact:T1", "referral:R2")
    assert finding.detail == "brought on 2022-03-01, contacted on 2022-03-05, no consent"
    [finding] = cn09(*brought_twice, contact("2022-02-05"))
    assert finding.facts == ("contact:T1", "referral:R1")
    [before] = cn09(introduced("2022-01-01"), contact("2022-03-05"))
    [after] = cn09(*brought_twice, contact("2022-03-05"))
    assert (before.facts[1], after.facts[1]) == ("referral:R1", "referral:R2")
    assert before.finding_id == after.finding_id
    early, late = contact("2022-01-05"), contact("2022-03-05", contact_id="T2")
    findings = cn09(*brought_twice, early, late, contact("2022-03-06", contact_id="T3"))
    assert [each.facts[0] for each in findings] == ["contact:T1", "contact:T2"]
    stands_for_them = introduced("2022-03-01", "guarantor", "R2")
    assert cn09(introduced("2022-01-01"), DECLINED, stands_for_them, contact("2022-03-05")) == []


def test_who_is_known_as_an_enterprise_has_no_personal_data() -> None:
    story = (introduced("2022-01-01"), SPOKEN_TO)
    assert cn09(*story, customer(kind="enterprise")) == []
    assert cn09(*story, customer(kind="person")) != []
