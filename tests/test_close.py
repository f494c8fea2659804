"""given(what is known).when_closed(on) ...: what a close reports of one commitment, K1 of C1."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import pytest

from domain.case import Case, Change
from domain.close import (
    CAUSES_MAX,
    CLOSE_DAYS_MAX,
    Closing,
    dates_to_close,
    event_id,
    is_due,
    report,
)
from domain.commitment import CountedAccount, TermsFrom
from domain.errors import CloseTooLongError, CloseUnfinishedError, DatesOutOfOrderError
from domain.reported import (
    Cause,
    CommitmentBreached,
    CommitmentCured,
    CommitmentTested,
    ConsequenceApplied,
)
from projections import facts
from projections.closing import unobserved
from projections.deposit_compliance import deposits_of, flows_of
from projections.facts import Commitment, Draw, Report, Waiver
from projections.folding import fold
from tests.compliance_book import HUNDRED, agreed, book, loan, march
from tests.deliveries import recorded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from domain.commitment import Terms
    from domain.reported import ReportEvent
    from projections.facts import Loan

LEDGER_ID = "6a0f7f31-6c9c-4b8e-9a51-1f8f0c7c2a11"
CHANGE = Change(77, "the correction", march(2), "balance", "A1")
SHORT = (120, 120, 50, 90)  # the design's example: 20 balance-days short of 4 · 100
HOLD = replace(HUNDRED, consequence_kind="hold_percent", consequence_value=500_000)


class Closes:
    """The closes of a commitment, one after the other, each on what was known by then."""

    def __init__(self, terms: Terms | Commitment, loans: Mapping[str, Loan] | None = None) -> None:
        self.terms, self.loans = terms, loans
        self.others: dict[str, tuple[int, ...]] = {}  # balances of further accounts
        self.tested: dict[date, facts.Tested] = {}
        self.said: list[tuple[str, ReportEvent]] = []
        self.through = 0  # before every change of the tests

    def close(
        self, on: date, *balances: int | None, changes: Sequence[Change] = ()
    ) -> list[ReportEvent]:
        """Close a day on A1's balances since 1 March; return the events."""
        known = book(self.terms, {"A1": balances, **self.others}, self.loans)
        customer_id, commitment = known.commitments["K1"]
        case = Case(
            customer_id,
            "K1",
            commitment,
            list(deposits_of(known, customer_id, commitment, on)),
            list(flows_of(known, customer_id, commitment)),
            {start: tested.reports[-1] for start, tested in self.tested.items()},
            changes,
        )
        self.said = list(report(case, Closing(LEDGER_ID, on, self.through)))
        events = [event for _, event in self.said]
        for event in events:
            self._fold(event)
        return events

    def _fold(self, event: ReportEvent) -> None:
        if isinstance(event, CommitmentTested | ConsequenceApplied):
            row = fold(self.tested.get(event.window_start), recorded(event))
            assert isinstance(row, facts.Tested)
            self.tested[event.window_start] = row

    def report_of(self, start: date) -> Report:
        return self.tested[start].reports[-1]


def outcomes(events: Sequence[ReportEvent]) -> list[str]:
    return [event.outcome for event in events if isinstance(event, CommitmentTested)]


def test_a_window_is_tested_at_the_close_of_its_last_day() -> None:
    closes = Closes(HUNDRED)
    assert closes.close(march(3), 120, 120, 120) == []
    [tested] = closes.close(march(4), 120, 120, 120, 120)
    assert isinstance(tested, CommitmentTested)
    assert (tested.window_start, tested.window_end) == (march(1), march(4))
    assert (tested.balance_days, tested.required_days, tested.shortfall) == (480, 400, 0)
    assert (tested.outcome, tested.restates, tested.causes) == ("met", None, ())
    assert tested.through == closes.through
    assert closes.close(march(5), 120, 120, 120, 120, 120) == []


def test_a_short_window_is_tested_again_when_it_is_cured() -> None:
    closes = Closes(HUNDRED)
    assert outcomes(closes.close(march(4), *SHORT)) == ["in_cure"]
    assert closes.close(march(5), *SHORT, 110) == []
    tested, cured = closes.close(march(6), *SHORT, 110, 110)
    assert isinstance(tested, CommitmentTested)
    assert (tested.outcome, tested.restates, tested.cured_on) == ("cured", None, march(6))
    assert isinstance(cured, CommitmentCured)
    assert (cured.cured_on, cured.shortfall) == (march(6), 20)
    assert cured.test_id == closes.said[0][0]
    assert closes.close(march(9), *SHORT, 110, 110, 0, 0, 0) == []


def test_a_window_not_cured_is_breached_the_day_after_its_cure_days() -> None:
    closes = Closes(HOLD)
    closes.close(march(4), *SHORT)
    assert closes.close(march(7), *SHORT, 100, 100, 100) == []
    tested, breached, applied = closes.close(march(8), *SHORT, 100, 100, 100, 500)
    assert isinstance(tested, CommitmentTested)
    assert tested.outcome == "breached"
    assert isinstance(breached, CommitmentBreached)
    assert (breached.breached_on, breached.shortfall) == (march(8), 20)
    assert isinstance(applied, ConsequenceApplied)
    assert (applied.kind, applied.amount) == ("hold_percent", 3)  # half of 5 a day: half up
    assert closes.close(march(9), *SHORT, 100, 100, 100, 500, 500) == []


def test_grace_days_come_before_the_verdict() -> None:
    closes = Closes(replace(HUNDRED, grace_days=2, cure_days=0))
    assert outcomes(closes.close(march(4), *SHORT)) == ["in_grace"]
    assert closes.close(march(6), *SHORT) == []
    assert outcomes(closes.close(march(7), *SHORT)) == ["breached"]


def test_a_window_with_an_unknown_day_is_reported_unknown() -> None:
    closes = Closes(replace(HUNDRED, missing_days=0))
    [tested] = closes.close(march(4), 120, None, 120, 120)
    assert isinstance(tested, CommitmentTested)
    assert (tested.outcome, tested.shortfall, tested.unknown_days) == ("unknown", None, 1)


def test_a_corrected_balance_restates_a_window_and_is_named() -> None:
    closes = Closes(HOLD)
    closes.close(march(4), *SHORT)
    closes.close(march(8), *SHORT, 100, 100, 100)
    first = closes.said[0][0]
    elsewhere = CHANGE._replace(position=78, event_id="after the window", on=march(30))
    tested, taken_back = closes.close(
        march(20), 120, 140, 50, 90, 100, 100, 100, changes=(CHANGE, elsewhere)
    )
    assert isinstance(tested, CommitmentTested)
    assert (tested.outcome, tested.shortfall, tested.restates) == ("met", 0, first)
    assert tested.causes == (Cause(position=77, event_id="the correction"),)
    assert tested.causes_count == 1
    assert isinstance(taken_back, ConsequenceApplied)
    assert (taken_back.amount, taken_back.kind) == (0, "none")
    assert closes.close(march(21), 120, 140, 50, 90, 100, 100, 100, changes=(elsewhere,)) == []


def test_a_correction_that_leaves_the_outcome_restates_its_figures() -> None:
    closes = Closes(HOLD)
    closes.close(march(8), *SHORT, 100, 100, 100)
    tested, breached, applied = closes.close(
        march(20), 120, 120, 50, 0, 100, 100, 100, changes=(CHANGE,)
    )
    assert isinstance(tested, CommitmentTested)
    assert (tested.outcome, tested.shortfall) == ("breached", 110)
    assert isinstance(breached, CommitmentBreached)
    assert isinstance(applied, ConsequenceApplied)
    assert (applied.base, applied.amount) == (110, 14)


def test_a_correction_of_a_cure_day_restates_a_breach() -> None:
    closes = Closes(HUNDRED)
    closes.close(march(8), *SHORT, 100, 100, 100)
    on_a_cure_day = CHANGE._replace(on=march(6))
    events = closes.close(march(20), *SHORT, 100, 101, 100, changes=(on_a_cure_day,))
    assert outcomes(events) == ["breached"]
    [tested, _] = events
    assert isinstance(tested, CommitmentTested)
    assert tested.restates is not None


def test_a_correction_behind_the_cap_restates_the_inputs_alone() -> None:
    closes = Closes(replace(HUNDRED, cap_ppm=1_000_000))
    closes.close(march(4), 120, 120, 120, 120)
    before = closes.report_of(march(1))
    [after] = closes.close(march(5), 120, 130, 120, 120, changes=(CHANGE,))
    assert isinstance(after, CommitmentTested)
    assert (after.outcome, after.balance_days) == ("met", before.balance_days)
    assert after.restates is not None
    assert after.inputs_sha256 != before.inputs_sha256


def test_an_event_that_changes_no_input_restates_nothing() -> None:
    closes = Closes(HUNDRED)
    closes.close(march(4), 120, 120, 120, 120)
    assert closes.close(march(9), 120, 120, 120, 120, 7, changes=(CHANGE,)) == []


def test_a_surplus_carried_over_is_an_input_of_the_next_window() -> None:
    terms = replace(HUNDRED, ends_on=march(61), netting="carry_surplus", cure_days=0)
    balances = (*[110] * 31, *[95] * 30)
    closes = Closes(replace(terms, starts_on=march(1)))
    closes.close(march(61), *balances)
    assert [closes.report_of(start).outcome for start in sorted(closes.tested)] == [
        "met",
        "breached",
    ]
    quarter = replace(terms, starts_on=march(32), ends_on=march(92))
    closes = Closes(quarter)
    april_and_may = (*[0] * 31, *[110] * 30, *[95] * 31)
    closes.close(march(92), *april_and_may)
    assert [closes.report_of(start).outcome for start in sorted(closes.tested)] == ["met", "met"]
    a_little_less = (*[0] * 31, 109, *[110] * 29, *[95] * 31)
    in_april = CHANGE._replace(on=march(32))
    restated = closes.close(march(93), *a_little_less, changes=(in_april,))
    assert outcomes(restated) == ["met", "met"]
    less = (*[0] * 31, 0, 0, *[110] * 28, *[95] * 31)
    events = closes.close(march(94), *less, changes=(in_april,))
    assert outcomes(events) == ["met", "breached"]
    assert all(event.causes_count == 1 for event in events if isinstance(event, CommitmentTested))


def test_a_waiver_is_reported_from_the_day_it_is_told_and_restates_nothing() -> None:
    waived = replace(agreed(HUNDRED), waivers=(Waiver(march(12), march(1), march(1)),))
    closes = Closes(waived)
    assert outcomes(closes.close(march(11), *SHORT)) == ["breached"]
    told = Change(90, "the waiver", march(12), "waiver", span=(march(1), march(1)))
    [tested] = closes.close(march(12), *SHORT, changes=(CHANGE, told))
    assert isinstance(tested, CommitmentTested)
    assert (tested.outcome, tested.restates) == ("waived", None)
    assert tested.causes == (Cause(position=90, event_id="the waiver"),)


def test_an_amendment_that_undoes_a_window_makes_its_report_void() -> None:
    closes = Closes(replace(HUNDRED, ends_on=march(61)))
    closes.close(march(31), *[120] * 31)
    by_term = replace(HUNDRED, ends_on=march(61), window="term")
    closes.terms = agreed(
        replace(HUNDRED, ends_on=march(61)), TermsFrom(march(33), march(1), by_term)
    )
    [tested] = closes.close(march(33), *[120] * 33)
    assert isinstance(tested, CommitmentTested)
    assert (tested.outcome, tested.window_end, tested.balance_days) == ("void", march(31), 0)
    assert closes.close(march(34), *[120] * 34) == []
    [again] = closes.close(march(61), *[120] * 61)
    assert isinstance(again, CommitmentTested)
    assert (again.outcome, again.window_end, again.restates) == ("met", march(61), None)


def test_an_amendment_that_joins_a_window_to_the_days_after_it_is_the_cause_of_its_void() -> None:
    monthly = replace(HUNDRED, ends_on=march(31))
    by_year = TermsFrom(march(1), march(11), replace(monthly, window="year"))
    closes = Closes(agreed(monthly, by_year))
    closes.close(march(10), *[120] * 10)
    closes.terms = agreed(monthly, by_year, TermsFrom(march(1), march(11), monthly))
    undone = Change(90, "the cut undone", march(1), "terms", span=(march(11), march(60)))
    [tested] = closes.close(march(12), *[120] * 12, changes=[undone])
    assert isinstance(tested, CommitmentTested)
    assert (tested.outcome, tested.window_end) == ("void", march(10))
    assert [cause.position for cause in tested.causes] == [90]
    closes.terms = agreed(monthly, by_year, TermsFrom(march(1), march(11), monthly), by_year)
    cut = Change(91, "the cut again", march(1), "terms", span=(march(11), march(60)))
    closes.through = 90
    [tested] = closes.close(march(13), *[120] * 13, changes=[cut])
    assert isinstance(tested, CommitmentTested)
    assert (tested.outcome, tested.restates is None) == ("met", False)
    assert [cause.position for cause in tested.causes] == [91]


def test_a_window_is_restated_though_terms_told_later_change_only_what_was_carried() -> None:
    hundred = replace(HUNDRED, cure_days=0)
    for_two_days = (CountedAccount(account_id="A1", counted_to=march(2)),)
    fewer = TermsFrom(march(6), march(1), replace(hundred, accounts=for_two_days))
    closes = Closes(agreed(hundred, fewer))
    amended = Change(90, "the amendment", march(6), "terms", span=(march(1), march(60)))
    [before, _] = closes.close(march(4), 0, 0, None, 0)
    [after, _] = closes.close(march(6), 0, 0, None, 0, changes=[amended])
    assert isinstance(before, CommitmentTested)
    assert isinstance(after, CommitmentTested)
    assert (before.carried_days, after.carried_days) == (1, 0)
    assert (before.shortfall, before.balance_days) == (after.shortfall, after.balance_days)
    assert after.restates is not None
    assert [cause.position for cause in after.causes] == [90]


def test_a_breach_is_restated_though_terms_told_later_change_only_what_it_costs() -> None:
    half = replace(HOLD, cure_days=0)
    whole = TermsFrom(march(6), march(1), replace(half, consequence_value=1_000_000))
    closes = Closes(agreed(half, whole))
    amended = Change(90, "the amendment", march(6), "terms", span=(march(1), march(60)))
    [*_, before] = closes.close(march(4), *SHORT)
    [tested, _, after] = closes.close(march(6), *SHORT, changes=[amended])
    assert isinstance(before, ConsequenceApplied)
    assert isinstance(after, ConsequenceApplied)
    assert isinstance(tested, CommitmentTested)
    assert (before.amount, after.amount, tested.restates is None) == (3, 5, False)
    assert [cause.position for cause in tested.causes] == [90]
    assert closes.close(march(7), *SHORT, changes=[amended]) == []


def test_the_same_close_gives_the_same_ids_and_no_other_close_does() -> None:
    once, again = Closes(HOLD), Closes(HOLD)
    for closes in (once, again):
        closes.close(march(8), *SHORT)
    assert once.said == again.said
    ids = {id_ for id_, _ in once.said}
    assert len(ids) == 3
    assert {UUID(id_).version for id_ in ids} == {5}
    once.close(march(20), 0, 0, 0, 0, changes=(CHANGE,))
    assert not ids & {id_ for id_, _ in once.said}


def test_an_id_is_a_uuid_of_version_5_of_the_ledger_and_what_is_told() -> None:
    ledger_id = "c2d2a5a0-6f0c-4d5e-9d6c-6f1f5d0b7a10"
    for day in range(1, 29):
        name = f"{march(day)}:commitment-tested:K1:{march(1)}"
        expected = str(uuid5(UUID(ledger_id), name))
        assert event_id(ledger_id, march(day), "commitment-tested", "K1", march(1)) == expected


def test_only_what_bears_on_a_window_is_a_cause() -> None:
    elsewhere = [
        CHANGE._replace(position=1, account_id="A9"),
        CHANGE._replace(position=2, on=march(8)),  # after the cure days
        CHANGE._replace(position=3, of="account", account_id="A9"),
        Change(4, "a draw, though a fixed amount is required", march(2), "debt"),
        Change(5, "a waiver of April", march(2), "waiver", span=(march(32), march(40))),
    ]
    closes = Closes(HUNDRED)
    closes.close(march(4), *SHORT)
    [tested, _] = closes.close(march(9), 0, 0, 0, 0, changes=[*elsewhere, CHANGE])
    assert isinstance(tested, CommitmentTested)
    assert [cause.position for cause in tested.causes] == [77]


def test_terms_and_waivers_that_are_not_known_or_hold_later_are_no_cause() -> None:
    later = (march(20), march(60))
    unborn = [
        Change(1, "an amendment of later days", march(5), "terms", span=later),
        Change(2, "an amendment told after this day", march(12), "terms"),
        Change(3, "a release to come", march(20), "terms", span=later),
        Change(4, "a waiver told after this day", march(12), "waiver", span=(march(1), march(1))),
    ]
    closes = Closes(HUNDRED)
    closes.close(march(4), *SHORT)
    [tested, _] = closes.close(march(9), 0, 0, 0, 0, changes=[*unborn, CHANGE])
    assert isinstance(tested, CommitmentTested)
    assert [cause.position for cause in tested.causes] == [77]


def test_cure_days_bear_where_they_were_looked_at() -> None:
    in_cure = CHANGE._replace(position=78, on=march(6))
    met = Closes(HUNDRED)
    met.close(march(4), 120, 120, 120, 120)
    [tested] = met.close(march(7), 110, 120, 120, 120, changes=[CHANGE, in_cure])
    assert isinstance(tested, CommitmentTested)
    assert [cause.position for cause in tested.causes] == [77]
    short = Closes(HUNDRED)
    short.close(march(8), *SHORT)
    [tested, *_] = short.close(march(9), 80, 90, 90, 90, 95, changes=[CHANGE, in_cure])
    assert isinstance(tested, CommitmentTested)
    assert [cause.position for cause in tested.causes] == [77, 78]
    no_longer = Closes(HUNDRED)
    no_longer.close(march(8), *SHORT)
    [tested, *_] = no_longer.close(march(9), 120, 120, 120, 120, changes=[CHANGE, in_cure])
    assert isinstance(tested, CommitmentTested)
    assert [cause.position for cause in tested.causes] == [77]


def test_a_cure_day_after_the_earlier_test_is_no_cause() -> None:
    closes = Closes(HUNDRED)
    closes.close(march(4), *SHORT)
    time_brought = [CHANGE._replace(position=78 + day, on=march(5 + day)) for day in range(2)]
    [tested] = closes.close(march(7), 80, 90, 90, 90, 95, changes=[CHANGE, *time_brought])
    assert isinstance(tested, CommitmentTested)
    assert (tested.outcome, tested.restates is None) == ("in_cure", False)
    assert [cause.position for cause in tested.causes] == [77]


def test_a_cure_day_after_the_cure_is_no_cause() -> None:
    closes = Closes(replace(HUNDRED, metric="minimum"))
    closes.close(march(7), *SHORT, 90, 100, 100)
    cured_on_the_6th = closes.report_of(march(1))
    assert cured_on_the_6th.cured_on == march(6)
    before, after = (CHANGE._replace(position=day, on=march(day)) for day in (5, 7))
    [tested, _] = closes.close(march(8), *SHORT, 100, 100, 7, changes=[before, after])
    assert isinstance(tested, CommitmentTested)
    assert (tested.cured_on, [cause.position for cause in tested.causes]) == (march(5), [5])


def test_terms_that_cut_a_reported_window_are_a_cause() -> None:
    cut = TermsFrom(march(5), march(3), replace(HUNDRED, metric="minimum", requirement_value=90))
    closes = Closes(agreed(HUNDRED, cut))
    closes.close(march(4), *SHORT)
    amended = Change(50, "the amendment", march(5), "terms", span=(march(3), march(60)))
    before, after = (
        event
        for event in closes.close(march(5), *SHORT, changes=[amended])
        if isinstance(event, CommitmentTested)
    )
    assert (before.window_start, before.window_end) == (march(1), march(2))
    assert before.restates is not None
    assert [cause.position for cause in before.causes] == [50]
    assert (after.window_start, after.restates) == (march(3), None)


def test_what_changed_a_surplus_is_a_cause_beside_what_changed_the_window() -> None:
    april, may = march(32), march(62)
    closes = Closes(
        replace(HUNDRED, starts_on=april, ends_on=march(92), cure_days=0, netting="carry_surplus")
    )
    before = (0,) * 31
    closes.close(march(92), *before, *(110,) * 30, *(100,) * 31)
    in_march, in_april, in_may = (
        CHANGE._replace(position=position, on=on)
        for position, on in ((78, march(10)), (79, march(40)), (80, march(70)))
    )
    less = (*(110,) * 29, 105, *(100,) * 30, 99)
    events = closes.close(march(93), *before, *less, changes=[in_march, in_april, in_may])
    causes = {
        event.window_start: [cause.position for cause in event.causes]
        for event in events
        if isinstance(event, CommitmentTested)
    }
    assert causes == {april: [79], may: [79, 80]}


def test_a_surplus_rests_on_the_accounts_of_its_own_window() -> None:
    with_b1 = replace(
        HUNDRED,
        ends_on=march(92),
        cure_days=0,
        netting="carry_surplus",
        accounts=(CountedAccount(account_id="A1"), CountedAccount(account_id="B1")),
    )
    without_b1 = replace(with_b1, accounts=(CountedAccount(account_id="A1"),))
    closes = Closes(agreed(with_b1, TermsFrom(march(1), march(62), without_b1)))
    closes.others = {"B1": (20,) * 61}
    balances = (*(90,) * 61, *(100,) * 31)
    closes.close(march(92), *balances)
    of_b1, later_of_b1, of_a1 = (
        CHANGE._replace(position=position, on=on, account_id=account_id)
        for position, on, account_id in (
            (80, march(40), "B1"),
            (81, march(70), "B1"),
            (82, march(71), "A1"),
        )
    )
    events = closes.close(
        march(93), *(*balances[:70], 99, *balances[71:]), changes=[of_b1, later_of_b1, of_a1]
    )
    [tested] = [each for each in events if isinstance(each, CommitmentTested)]
    assert (tested.window_start, tested.surplus) == (march(62), 300)
    assert [cause.position for cause in tested.causes] == [80, 82]


def test_what_gave_an_earlier_window_its_surplus_by_the_debt_is_a_cause() -> None:
    by_draws = replace(
        HUNDRED,
        starts_on=march(32),
        ends_on=march(92),
        cure_days=0,
        netting="carry_surplus",
        requirement_kind="percent_of_drawn",
        requirement_value=500_000,
    )
    fixed = replace(by_draws, requirement_kind="amount", requirement_value=100)
    closes = Closes(
        agreed(by_draws, TermsFrom(march(1), march(62), fixed)),
        {"L1": loan(Draw("W1", march(1), 180))},
    )
    balances = (*(0,) * 31, *(100,) * 61)
    closes.close(march(92), *balances)
    closes.loans = {"L1": loan(Draw("W1", march(1), 180), Draw("W2", march(61), 10))}
    drawn = Change(90, "a draw told late", march(61), "debt")
    after = Change(91, "a draw of May", march(65), "debt")
    events = closes.close(march(93), *balances, changes=[drawn, after])
    causes = [
        (each.window_start, [cause.position for cause in each.causes])
        for each in events
        if isinstance(each, CommitmentTested)
    ]
    assert causes == [(march(32), [90]), (march(62), [90])]


def test_an_account_of_the_new_terms_bears_on_the_days_of_the_new_test_alone() -> None:
    with_b1 = (CountedAccount(account_id="A1"), CountedAccount(account_id="B1"))
    a1_alone = replace(HUNDRED, accounts=with_b1[:1])
    both = TermsFrom(march(6), march(1), replace(HUNDRED, accounts=with_b1))
    closes = Closes(agreed(a1_alone, both))
    closes.others = {"B1": (20,) * 9}
    closes.close(march(5), 90, 90, 90, 90, 90)
    amended = Change(90, "the amendment", march(6), "terms", span=(march(1), march(60)))
    of_a_cure_day = CHANGE._replace(position=91, on=march(5), account_id="B1")
    [tested] = closes.close(march(6), *(90,) * 6, changes=[amended, of_a_cure_day])
    assert isinstance(tested, CommitmentTested)
    assert (tested.outcome, tested.restates is None) == ("met", False)
    assert [cause.position for cause in tested.causes] == [90]


def test_terms_told_after_a_report_are_a_cause_whenever_they_come_to_bear() -> None:
    hundred = replace(HUNDRED, cure_days=0)
    capped = TermsFrom(march(5), march(1), replace(hundred, cap_ppm=1_000_000))
    closes = Closes(agreed(hundred, capped))
    closes.through = 45
    assert outcomes(closes.close(march(4), 90, 90, 90, 90)) == ["breached"]
    amended = Change(50, "the amendment", march(5), "terms")
    assert closes.close(march(5), 90, 90, 90, 90, changes=[amended]) == []
    closes.through = 60
    before = Change(40, "an earlier amendment", march(3), "terms")
    [tested, _] = closes.close(march(6), 500, 90, 90, 90, changes=[before, amended, CHANGE])
    assert isinstance(tested, CommitmentTested)
    assert tested.shortfall == 30
    assert [cause.position for cause in tested.causes] == [50, 77]


def test_what_bears_on_the_earlier_test_alone_is_a_cause_too() -> None:
    by_a9 = replace(HUNDRED, cure_days=0, accounts=(CountedAccount(account_id="A9"),))
    closes = Closes(agreed(replace(HUNDRED, cure_days=0), TermsFrom(march(6), march(1), by_a9)))
    closes.close(march(4), 90, 90, 90, 90)
    amended = Change(50, "the amendment", march(6), "terms")
    of_a9 = CHANGE._replace(position=78, account_id="A9")
    [tested, *_] = closes.close(march(6), 95, 90, 90, 90, changes=[amended, CHANGE, of_a9])
    assert isinstance(tested, CommitmentTested)
    assert (tested.balance_days, tested.restates is None) == (0, False)
    assert [cause.position for cause in tested.causes] == [50, 77]


def test_of_many_causes_the_first_are_named_and_all_counted() -> None:
    closes = Closes(HUNDRED)
    closes.close(march(8), *SHORT)
    many = [CHANGE._replace(position=1 + n) for n in range(CAUSES_MAX + 5)]
    [tested, _] = closes.close(march(9), 0, 0, 0, 0, changes=many)
    assert isinstance(tested, CommitmentTested)
    assert (len(tested.causes), tested.causes_count) == (CAUSES_MAX, CAUSES_MAX + 5)


def test_no_balance_is_asked_for_of_who_is_set_aside() -> None:
    accounts = (CountedAccount(account_id="A1"), CountedAccount(account_id="B1"))
    known = book(replace(HUNDRED, accounts=accounts), {"A1": (100,), "B1": (100,)})
    assert list(unobserved(known, march(2))) == [("K1", "A1"), ("K1", "B1")]
    assert list(unobserved(known, march(2), {"C2"})) == [("K1", "A1")]


# Which commitments a close looks at.


def test_every_day_on_which_time_alone_changes_an_outcome_is_due() -> None:
    terms = replace(HUNDRED, grace_days=2)
    commitment = agreed(terms)
    looked_at = [day for day in range(1, 20) if is_due(commitment, {march(1)}, march(day))]
    assert looked_at == list(range(4, 4 + 2 + 3 + 1 + 1))


def test_an_ended_window_that_was_never_reported_is_due() -> None:
    assert is_due(agreed(HUNDRED), (), march(60))
    assert not is_due(agreed(HUNDRED), {march(1)}, march(60))


def test_a_commitment_is_due_when_something_told_before_begins_to_be_known() -> None:
    waived = replace(agreed(HUNDRED), waivers=(Waiver(march(50), march(1), march(1)),))
    assert [d for d in range(40, 60) if is_due(waived, {march(1)}, march(d))] == [50]
    late = replace(agreed(HUNDRED), agreed_on=march(20))
    assert not is_due(late, (), march(19))
    assert is_due(late, (), march(20))


# Which days a call closes.


def test_the_first_close_is_of_any_day() -> None:
    assert dates_to_close(None, None, march(3), march(3)) == [march(3)]


def test_skipped_days_are_closed_before_the_day_asked_for() -> None:
    assert dates_to_close(march(1), march(1), march(4), march(4)) == [march(2), march(3), march(4)]


def test_a_close_left_unfinished_goes_first() -> None:
    assert dates_to_close(march(1), march(2), march(3), march(3)) == [march(2), march(3)]
    assert dates_to_close(None, march(2), march(3), march(3)) == [march(2), march(3)]
    with pytest.raises(CloseUnfinishedError):
        dates_to_close(None, march(2), march(1), march(1))


def test_a_closed_day_is_not_closed_again() -> None:
    assert dates_to_close(march(5), march(5), march(2), march(5)) == []


def test_a_run_of_days_ends_after_it_begins_and_is_no_slip_of_the_year() -> None:
    with pytest.raises(DatesOutOfOrderError):
        dates_to_close(None, None, march(2), march(1))
    with pytest.raises(CloseTooLongError):
        dates_to_close(march(1), march(1), march(2), march(2 + CLOSE_DAYS_MAX))


def test_a_debt_is_an_input_of_what_it_decides() -> None:
    drawn = {"L1": loan(Draw("W1", march(1), 500))}
    terms = replace(HUNDRED, requirement_kind="percent_of_drawn", requirement_value=200_000)
    closes = Closes(terms, drawn)
    closes.close(march(8), *SHORT)
    more = Change(91, "the draw", march(2), "debt")
    closes.loans = {"L1": loan(Draw("W1", march(1), 500), Draw("W2", march(2), 100))}
    [tested, _] = closes.close(march(9), *SHORT, changes=(more,))
    assert isinstance(tested, CommitmentTested)
    assert tested.required_days == 100 + 3 * 120
