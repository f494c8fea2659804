"""Partners: their admission, their agreements, and what came of what they brought."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from domain.commitment import Terms, TermsFrom
from domain.partner import PartnerAdmissionChecked, PartnerAgreed
from infra.policy.packs import load_packs
from infra.rules.reading import RulesError, partner_rules, read_rules
from projections.book import Book
from projections.facts import (
    AdmissionCheck,
    Agreement,
    Commitment,
    Draw,
    Loan,
    MaturesFrom,
    Paid,
    Partner,
)
from projections.partner_rules import PartnerRules, PartnerRulesFile, Required
from projections.partners import PartnerRow, lacking, partner_rows
from projections.policy.partners import Admission
from tests.books import CURRENCY, account, balances, day, loan, referral
from tests.policy_cases import found
from tests.test_referral_network import Facts, brought, opened

if TYPE_CHECKING:
    from pathlib import Path

    from projections.facts import Key, Row

RULES = PartnerRules(
    version=1,
    in_force_from=date(2000, 1, 1),
    admission=(
        Required(subject="licence", valid_months=12),
        Required(subject="own_debts", valid_months=1, at_most=70),
        Required(subject="rating", valid_months=12, at_least=3),
    ),
)
SOUND = (
    AdmissionCheck(day(0), "rating", "passed", 3),
    AdmissionCheck(day(0), "licence", "passed", None),
    AdmissionCheck(day(1), "own_debts", "passed", 70),
)
AGREED = Agreement(
    agreement_id="A1",
    agreed_on=day(2),
    starts_on=day(5),
    ends_on=day(30),
    approved_by="HEAD-1",
)


def partner(*agreements: Agreement, checks: tuple[AdmissionCheck, ...] = SOUND) -> Facts:
    return [(("F", "partner", ""), Partner(checks, agreements))]


def row(facts: Facts, as_of: date, rules: PartnerRules = RULES) -> PartnerRow:
    [found] = partner_rows(Book.from_rows(facts), as_of, CURRENCY, [rules])
    return found


def lead(prospect: str, on: int, converted: int | None = None, **told: Any) -> tuple[Key, Row]:  # noqa: ANN401 - as the referral takes it
    converted_on = None if converted is None else day(converted)
    told = {"via": "partner"} | told
    return brought(prospect, referral("F", day(on), converted_on=converted_on, **told))


# Admission.


def test_who_passed_every_check_in_time_lacks_nothing() -> None:
    assert lacking(SOUND, day(1), RULES.admission) == ()
    assert row(partner(), day(1)).admission == "complete"


@pytest.mark.parametrize(
    ("instead", "lacks"),
    [
        (AdmissionCheck(day(1), "licence", "failed", None), "licence"),
        (AdmissionCheck(day(1), "own_debts", "passed", 71), "own_debts"),
        (AdmissionCheck(day(1), "own_debts", "passed", None), "own_debts"),
        (AdmissionCheck(day(1), "rating", "passed", 2), "rating"),
        (AdmissionCheck(day(2), "rating", "failed", 9), ""),
    ],
)
def test_the_latest_check_counts_if_it_passed_within_its_bounds(
    instead: AdmissionCheck, lacks: str
) -> None:
    found = row(partner(checks=(*SOUND, instead)), day(1))
    assert (found.lacks, found.admission) == (lacks, "lacking" if lacks else "complete")


def test_a_later_pass_mends_a_failure_however_late_it_is_told() -> None:
    failed = AdmissionCheck(day(0), "licence", "failed", None)
    assert row(partner(checks=(failed, *SOUND)), day(1)).lacks == ""
    told_last = AdmissionCheck(day(-1), "licence", "failed", None)
    assert row(partner(checks=(*SOUND, told_last)), day(1)).lacks == ""


def test_a_check_holds_up_to_the_day_on_which_it_is_so_many_months_old() -> None:
    assert (day(1), day(32)) == (date(2023, 12, 11), date(2024, 1, 11))
    assert row(partner(), day(32)).lacks == ""
    assert row(partner(), day(33)).lacks == "own_debts"


@pytest.mark.parametrize(
    ("checked_on", "on", "months", "is_good"),
    [
        ("2019-02-28", "2020-02-29", 12, True),
        ("2019-02-27", "2020-02-29", 12, False),
        ("2019-02-28", "2020-03-01", 12, False),
        ("2020-02-29", "2021-02-28", 12, True),
        ("2020-02-29", "2021-03-01", 12, False),
        ("2023-02-28", "2023-03-31", 1, True),
        ("2023-01-31", "2023-02-28", 1, True),
        ("2023-01-31", "2023-03-01", 1, False),
    ],
)
def test_the_day_of_so_many_months_ago_is_the_last_of_a_shorter_month(
    checked_on: str, on: str, months: int, *, is_good: bool
) -> None:
    check = AdmissionCheck(date.fromisoformat(checked_on), "licence", "passed", None)
    required = Required(subject="licence", valid_months=months)
    lacks = lacking([check], date.fromisoformat(on), [required])
    assert lacks == (() if is_good else ("licence",))


# Agreements.


def test_an_agreement_without_sound_checks_stands_and_is_flagged() -> None:
    found = row(partner(AGREED, checks=SOUND[:1]), day(6))
    assert (found.agreement, found.lacked) == ("running", "licence own_debts")
    late = AdmissionCheck(day(3), "licence", "passed", None)
    found = row(partner(AGREED, checks=(*SOUND, late)), day(40))
    assert (found.lacked, found.lacks) == ("", "own_debts")


@pytest.mark.parametrize(
    ("on", "status"), [(1, "none"), (2, "coming"), (5, "running"), (30, "running"), (31, "ended")]
)
def test_an_agreement_runs_from_its_first_to_its_last_day(on: int, status: str) -> None:
    found = row(partner(AGREED), day(on))
    assert found.agreement == status
    assert found.agreement_id == (None if status == "none" else "A1")


def test_an_agreement_ended_early_is_in_force_until_the_day_before() -> None:
    facts = partner(replace(AGREED, ended_on=day(10)))
    assert [row(facts, day(on)).agreement for on in (9, 10)] == ["running", "ended"]
    assert [row(facts, day(on)).ends_on for on in (9, 10)] == [day(30), day(9)]


def test_an_agreement_cancelled_before_it_starts_never_runs() -> None:
    facts = [*partner(replace(AGREED, ended_on=day(4))), lead("P1", 3), lead("P2", 6)]
    found = {n: row(facts, day(n)) for n in (3, 4, 5, 31)}
    assert [found[n].agreement for n in found] == ["coming", "ended", "ended", "ended"]
    assert (found[3].ends_on, found[31].starts_on, found[31].ends_on) == (day(30), day(5), day(3))
    assert (found[31].leads, found[31].unagreed_leads) == (2, 2)
    beside = partner(replace(AGREED, ended_on=day(4)), replace(AGREED, agreement_id="A2"))
    assert (row(beside, day(4)).agreement, row(beside, day(4)).agreement_id) == ("coming", "A2")


def test_of_several_agreements_the_running_one_is_shown_then_the_next() -> None:
    second = replace(AGREED, agreement_id="A2", starts_on=day(33), ends_on=day(40))
    facts = partner(AGREED, second)
    found = [row(facts, day(on)).agreement_id for on in (6, 31, 33, 50)]
    assert found == ["A1", "A2", "A2", "A2"]


# Leads, and their quality.


def test_leads_are_referrals_via_partner_whatever_came_of_them() -> None:
    facts = [
        *partner(AGREED),
        lead("P1", 6, 8),
        lead("P2", 7, 17),
        lead("P3", 8, ended_on=day(9)),
        lead("P4", 40),
        lead("P5", 6, via="customer"),
    ]
    found = row(facts, day(20))
    assert (found.leads, found.converted, found.conversion_ppm) == (3, 2, 666_667)
    assert (found.days_p50, found.days_p90, found.unagreed_leads) == (2, 10, 0)
    assert (row(facts, day(16)).converted, row(facts, day(40)).unagreed_leads) == (1, 1)


def test_who_brings_leads_is_a_partner_even_without_check_or_agreement() -> None:
    found = row([*opened("F"), lead("P1", 6)], day(7))
    assert (found.agreement, found.lacked, found.unagreed_leads) == ("none", None, 1)
    assert found.lacks == "licence own_debts rating"
    assert found.conversion_ppm == 0
    assert list(partner_rows(Book.from_rows(opened("F")), day(7), CURRENCY, [RULES])) == []


def test_a_lead_that_somebody_else_brought_before_converts_for_them() -> None:
    first = brought("P1", referral("C1", day(1), converted_on=day(9)))
    found = row([first, lead("P1", 6)], day(20))
    assert (found.leads, found.converted) == (1, 0)


def due(on: int, *draws: Draw, repayments: tuple[Paid, ...] = (), approved: int = 6) -> Loan:
    lent = replace(loan(*draws, repayments=repayments), approved_on=day(approved))
    return replace(lent, maturities=(MaturesFrom(day(approved), day(on)),))


def test_a_loan_is_late_where_anything_is_owed_after_its_last_day() -> None:
    owed = due(20, Draw("D1", day(7), 500), repayments=(Paid("R1", day(21), 499, 0),))
    paid = due(20, Draw("D2", day(7), 300), repayments=(Paid("R2", day(20), 300, 0),))
    facts = [
        lead("P1", 6, 8),
        (("P1", "loan", "L1"), owed),
        (("P1", "loan", "L2"), paid),
        (("P1", "loan", "L3"), due(20, Draw("D3", day(7), 900), approved=5)),
    ]
    for on, late, left in ((20, 0, 0), (21, 1, 1)):
        found = row(facts, day(on))
        assert (found.loans, found.loans_late, found.late_outstanding) == (2, late, left)
    assert found.drawn == 800


def test_a_renewal_puts_off_the_last_day_from_when_it_was_agreed() -> None:
    owed = due(20, Draw("D1", day(7), 500))
    renewed = replace(owed, maturities=(*owed.maturities, MaturesFrom(day(25), day(60))))
    facts = [lead("P1", 6, 8), (("P1", "loan", "L1"), renewed)]
    assert [row(facts, day(on)).loans_late for on in (24, 25, 61)] == [1, 0, 1]


def test_commitments_count_as_missed_once_and_by_their_windows() -> None:
    terms = Terms(
        starts_on=day(10),
        ends_on=day(60),
        metric="average",
        window="month",
        requirement_kind="amount",
        requirement_value=100,
        currency=CURRENCY,
        cure_days=0,
        consequence_kind="none",
        consequence_value=0,
        missing_days=99,
    )
    promised = Commitment(
        loan_id=None, agreed_on=day(9), terms=(TermsFrom(day(9), day(10), terms),)
    )
    facts = [
        lead("P1", 6, 8),
        lead("P2", 6, 8),
        *(
            row_
            for who, held in (("P1", 50), ("P2", 100))
            for row_ in (
                ((who, "account", f"X-{who}"), account(day(8))),
                *balances(who, f"X-{who}", {day(10): held}),
                ((who, "commitment", f"K-{who}"), promised),
            )
        ),
    ]
    found = row(facts, day(61))
    assert (found.commitments, found.commitments_missed, found.windows_breached) == (2, 1, 3)
    assert found.deposits == 150


# Rules.


def test_the_rules_that_come_with_the_program_ask_for_every_subject() -> None:
    [version] = partner_rules()
    assert [required.subject for required in version.admission] == [
        "licence",
        "accounts",
        "rating",
        "own_debts",
        "guarantees_given",
        "breaches",
    ]


def test_an_agreement_is_judged_by_the_rules_of_its_day() -> None:
    lax = replace(RULES, admission=())
    strict = replace(RULES, version=2, in_force_from=day(3))
    book = Book.from_rows(partner(AGREED, checks=()))
    [found] = partner_rows(book, day(6), CURRENCY, [lax, strict])
    assert (found.lacked, found.lacks) == ("", "licence own_debts rating")


def test_a_subject_listed_twice_is_refused(tmp_path: Path) -> None:
    text = "[[versions]]\nversion = 1\nin_force_from = 1990-01-01\n"
    text += 2 * "[[versions.admission]]\nsubject = 'licence'\nvalid_months = 12\n"
    (tmp_path / "partner.toml").write_text(text, "utf-8")
    with pytest.raises(RulesError, match=r"versions\.0\.admission: 'licence' is there twice"):
        read_rules(tmp_path / "partner.toml", PartnerRulesFile)


def test_an_agreement_without_admission_is_a_finding_by_the_same_rules() -> None:
    agreed = PartnerAgreed(
        customer_id="F",
        agreement_id="A1",
        agreed_on=day(2),
        starts_on=day(5),
        ends_on=day(30),
        approved_by="HEAD-1",
    )
    checked = PartnerAdmissionChecked(
        customer_id="F",
        admission_check_id="X1",
        subject="licence",
        result="passed",
        figure=None,
        evidence="copy",
        checked_on=day(0),
        by="RM-1",
    )
    [finding] = found(checked, agreed, pack="none", rule="LEDGER-04")
    assert (finding.offended_on, finding.facts) == (day(2), ("agreement:A1",))
    assert finding.detail.endswith("of accounts, rating, own_debts, guarantees_given, breaches")
    rest = [
        replace(checked, admission_check_id=subject, subject=subject, figure=0)
        for subject in ("accounts", "rating", "own_debts", "guarantees_given", "breaches")
    ]
    assert found(checked, *rest, agreed, pack="none", rule="LEDGER-04") == []
    assert found(agreed, pack="none", rule="LEDGER-04", as_of=str(day(1))) == []
    [rule] = [rule for rule in load_packs([])[0].rules if rule.id == "LEDGER-04"]
    assert isinstance(rule.parameters, Admission)
    assert rule.parameters.required() == partner_rules()[-1].admission
