"""What is due, for whom, why, and by when; and what was overdone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from domain.commitment import TermsFrom
from domain.ownership import Assignment
from infra.rules.reading import DATA, RulesError, agenda_rules, read_rules, value_rules
from projections.agenda_rules import AgendaFile, InterestDate, QuietHours
from projections.book import Book
from projections.contact_agenda import agenda_rows, of_manager, ranked
from projections.facts import Draw, FollowUp, Paid, TierFrom
from projections.follow_ups import follow_up_rows
from tests.books import as_ofs, books, contact, customer, day, loan
from tests.compliance_book import HUNDRED, agreed, march
from tests.compliance_book import book as compliance_book

if TYPE_CHECKING:
    from pathlib import Path

    from projections.facts import Customer, Key, Row

RULES = agenda_rules()
AT_RISK = "commitment_at_risk"


def has(kind: str, id_: str, row: Row) -> tuple[Key, Row]:
    return ("C1", kind, id_), row


def met(*days: int) -> list[tuple[Key, Row]]:
    return [has("contact", f"V{n}", contact(day(n))) for n in days]


def due(
    reason: str, as_of: date, *told: tuple[Key, Row], who: Customer | None = None
) -> list[date]:
    """Return by when the reason stands on C1's agenda; opened on day 0 unless told."""
    book = Book.from_rows([has("customer", "", who or customer()), *told])
    return [row.due_on for row in agenda_rows(book, as_of, RULES) if row.reason == reason]


def test_a_first_draw_needs_two_contacts_within_fourteen_days() -> None:
    drawn = has("loan", "L1", loan(Draw("D1", day(10), 500), Draw("D2", day(20), 500)))
    assert due("first_draw", day(9), drawn) == []
    assert due("first_draw", day(10), drawn) == [day(24)]
    assert due("first_draw", day(15), drawn, *met(10, 11)) == [day(24)]
    assert due("first_draw", day(15), drawn, *met(11, 15)) == []
    assert due("first_draw", day(14), drawn, *met(11, 15)) == [day(24)]


def test_a_first_draw_stays_on_the_list_overdue_for_a_while() -> None:
    drawn = has("loan", "L1", loan(Draw("D1", day(10), 500)))
    assert due("first_draw", day(38), drawn, *met(11)) == [day(24)]
    assert due("first_draw", day(38), drawn, *met(11, 30)) == []
    assert due("first_draw", day(39), drawn, *met(11)) == []


def test_a_reversed_draw_was_no_first_draw() -> None:
    drawn = has("loan", "L1", loan(Draw("D1", day(10), 500, day(12)), Draw("D2", day(20), 500)))
    assert due("first_draw", day(11), drawn) == [day(24)]
    assert due("first_draw", day(12), drawn) == []
    assert due("first_draw", day(20), drawn) == [day(34)]


def test_who_owes_is_called_around_the_quarters_interest_date() -> None:
    told = has("loan", "L1", loan(Draw("D1", day(1), 500)))
    on = date(2024, 3, 20)
    for as_of, expected in ((12, []), (13, [on]), (20, [on]), (27, [on]), (28, [])):
        assert due("interest_date", date(2024, 3, as_of), told) == expected
    assert due("interest_date", on) == []
    around = has("contact", "V1", contact(date(2024, 3, 13)))
    before = has("contact", "V1", contact(date(2024, 3, 12)))
    assert due("interest_date", on, told, around) == []
    assert due("interest_date", on, told, before) == [on]


def test_each_interest_date_stands_whose_days_had_no_contact() -> None:
    """The days around one reach into those of the other: of a contact in these that one stays."""
    rules = replace(RULES, interest_date=InterestDate(dates=("12-31", "01-03"), around_days=12))
    told = [has("customer", "", customer()), has("loan", "L1", loan(Draw("D1", day(1), 500)))]
    last, first = date(2024, 12, 31), date(2025, 1, 3)
    for seen_on, expected in ((18, [last, first]), (19, [first]), (22, [])):
        seen = has("contact", "V1", contact(date(2024, 12, seen_on)))
        rows = agenda_rows(Book.from_rows([*told, seen]), date(2024, 12, 25), rules)
        assert [row.due_on for row in rows if row.reason == "interest_date"] == expected


def test_who_has_paid_back_owes_no_interest() -> None:
    repaid = loan(Draw("D1", day(1), 500), repayments=(Paid("P1", day(2), 500, 1),))
    assert due("interest_date", date(2024, 3, 20), has("loan", "L1", repaid)) == []


def test_a_promise_is_due_until_a_contact_on_its_day_or_later() -> None:
    promise = has("follow_up", "F1", FollowUp(promised_on=day(5), follow_up_on=day(20)))
    assert due("follow_up", day(12), promise) == []
    assert due("follow_up", day(13), promise) == [day(20)]
    assert due("follow_up", day(400), promise) == [day(20)]
    assert due("follow_up", day(20), promise, *met(19)) == [day(20)]
    assert due("follow_up", day(20), promise, *met(20)) == []
    said = has("contact", "V9", contact(day(5), day(20)))
    assert due("follow_up", day(20), said) == [day(20)]


def test_a_commitment_at_risk_is_due_by_the_last_chance_to_mend_it() -> None:
    terms = replace(HUNDRED, grace_days=2, cure_days=3)
    book = compliance_book(agreed(terms), {"A1": (100, 10, 10, 10)})
    book.customers["C1"] = customer()
    ends, cure = march(4), march(9)
    found = {
        n: [row.due_on for row in agenda_rows(book, march(n), RULES) if row.reason == AT_RISK]
        for n in (1, 2, 3, 4, 6, 7, 9, 10)
    }
    expected = {1: [], 2: [ends], 3: [ends], 4: [cure], 6: [cure], 7: [cure], 9: [cure], 10: []}
    assert found == expected


def test_the_last_chance_is_that_of_the_terms_in_the_window() -> None:
    longer = replace(HUNDRED, ends_on=march(61), cure_days=3)
    later = TermsFrom(march(2), march(32), replace(longer, cure_days=30))
    book = compliance_book(agreed(longer, later), {"A1": (10,) * 31})
    book.customers["C1"] = customer()
    [row] = [row for row in agenda_rows(book, march(31), RULES) if row.reason == AT_RISK]
    assert row.due_on == march(34)


def test_key_customers_are_seen_monthly() -> None:
    key = replace(customer(), tiers=(TierFrom(day(0), "gold"),))
    assert due("key_customer", day(22), who=key) == []
    assert due("key_customer", day(23), who=key) == [day(30)]
    assert due("key_customer", day(33), *met(10), who=key) == [day(40)]
    assert due("key_customer", day(200)) == []


def test_a_tier_that_has_lapsed_makes_no_key_customer() -> None:
    key = replace(customer(), tiers=(TierFrom(day(0), "gold"),))
    last = value_rules().tier.valid_days - 1
    for n, expected in ((last, [day(30)]), (last + 1, [])):
        assert due("key_customer", day(n), who=key) == expected
    again = replace(key, tiers=(*key.tiers, TierFrom(day(last), "gold")))
    assert due("key_customer", day(last + 1), who=again) == [day(30)]
    old = replace(customer(), tiers=(TierFrom(date(2020, 1, 1), "gold"),))
    assert due("festival", date(2024, 2, 10), who=old) == []


def birthdays(as_of: date, month_day: str, *told: tuple[Key, Row]) -> list[date]:
    book = Book.from_rows([has("customer", "", customer()), *told])
    known = replace(book, birthdays={"C1": month_day})
    return [row.due_on for row in agenda_rows(known, as_of, RULES) if row.reason == "birthday"]


def test_a_birthday_is_on_the_list_for_a_week_until_someone_called() -> None:
    on = date(2024, 3, 20)
    found = [birthdays(date(2024, 3, n), "03-20") for n in (12, 13, 20, 21)]
    assert found == [[], [on], [on], []]
    called = has("contact", "V1", contact(date(2024, 3, 14)))
    assert birthdays(date(2024, 3, 15), "03-20", called) == []
    assert birthdays(date(2024, 12, 30), "01-02") == [date(2025, 1, 2)]
    for year, expected in ((2025, date(2025, 2, 28)), (2024, date(2024, 2, 29))):
        assert birthdays(date(year, 2, 27), "02-29") == [expected]
    assert due("birthday", on) == []


def test_a_birthday_of_a_tier_counts_while_the_tier_holds() -> None:
    rules = replace(RULES, birthday=replace(RULES.birthday, tiers=("gold",)))
    for since, expected in ((date(2024, 1, 1), 1), (date(2021, 1, 1), 0)):
        gold = replace(customer(), tiers=(TierFrom(since, "gold"),))
        book = Book.from_rows([has("customer", "", gold)])
        known = replace(book, birthdays={"C1": "03-20"})
        rows = [row.reason for row in agenda_rows(known, date(2024, 3, 20), rules)]
        assert rows.count("birthday") == expected


def test_an_enterprise_has_no_birthday() -> None:
    firm = has("customer", "", replace(customer(), kind="enterprise"))
    assert birthdays(date(2024, 3, 15), "03-20", firm) == []


def test_key_customers_are_greeted_before_a_festival() -> None:
    key = replace(customer(), tiers=(TierFrom(day(0), "gold"),))
    on = date(2024, 2, 10)
    found = [due("festival", date(2024, 2, n), who=key) for n in (2, 3, 10, 11)]
    assert found == [[], [on], [on], []]
    assert due("festival", on) == []
    assert due("festival", on, has("contact", "V1", contact(date(2024, 2, 3))), who=key) == []


def test_a_relationship_is_cold_after_ninety_days() -> None:
    assert due("cold", day(89)) == []
    assert due("cold", day(90)) == [day(90)]
    assert due("cold", day(139), *met(50)) == []
    assert due("cold", day(140), *met(50)) == [day(140)]
    assert due("cold", day(140), *met(50, 141)) == [day(140)]


def test_a_relationship_without_an_owner_is_listed() -> None:
    left = Assignment(day(5), "RM-1", "owner", released=True)
    orphan = replace(customer(), assignments=(*customer().assignments, left))
    assert due("no_owner", day(4), who=orphan) == []
    assert due("no_owner", day(5), who=orphan) == [day(5)]
    taken = replace(orphan, assignments=(*orphan.assignments, Assignment(day(9), "R", "owner")))
    assert due("no_owner", day(9), who=taken) == []


@pytest.mark.parametrize(
    ("minute", "channel", "direction", "times"),
    [
        (21 * 60 - 1, "phone", "outbound", 0),
        (21 * 60, "phone", "outbound", 1),
        (0, "message", "outbound", 1),
        (8 * 60 - 1, "visit", "outbound", 1),
        (8 * 60, "visit", "outbound", 0),
        (60, "phone", "inbound", 0),
        (60, "branch", "outbound", 0),
        (None, "phone", "outbound", 0),
    ],
)
def test_a_call_by_the_bank_in_quiet_hours_is_overdone(
    minute: int | None, channel: str, direction: str, times: int
) -> None:
    call = replace(contact(day(5)), local_minute=minute, channel=channel, direction=direction)
    assert due("quiet_hours", day(5), has("contact", "V1", call)) == [day(5)] * times
    assert due("quiet_hours", day(11), has("contact", "V1", call)) == [day(5)] * times
    assert due("quiet_hours", day(12), has("contact", "V1", call)) == []


def test_quiet_hours_may_lie_within_one_day() -> None:
    noon = QuietHours(from_time="12:00", to_time="14:00", channels=("phone",), told_days=1)
    assert [noon.covers(60 * hour) for hour in (11, 12, 13, 14)] == [False, True, True, False]


def test_more_than_three_contacts_by_the_bank_in_a_week_are_overdone() -> None:
    assert due("too_many_contacts", day(8), *met(2, 3, 8)) == []
    assert due("too_many_contacts", day(8), *met(2, 3, 5, 8)) == [day(8)]
    assert due("too_many_contacts", day(8), *met(1, 3, 5, 8)) == []
    for n, expected in ((14, [day(8)]), (15, [])):
        assert due("too_many_contacts", day(n), *met(2, 3, 5, 8)) == expected
    assert due("too_many_contacts", day(9), *met(2, 3, 5, 8, 9)) == [day(9)]
    assert due("too_many_contacts", day(12), *met(2, 3, 5, 8, 12)) == [day(8)]
    inbound = has("contact", "V9", replace(contact(day(8)), direction="inbound"))
    assert due("too_many_contacts", day(8), inbound, *met(2, 3, 5)) == []


@pytest.mark.parametrize("ending", ["closed_on", "merged_on", "forgotten_on"])
def test_who_has_left_is_on_no_list(ending: str) -> None:
    gone = replace(customer(), closed_on=None)
    gone = replace(gone, **{ending: day(100)})  # type: ignore[arg-type]  # each is a date
    assert due("cold", day(99), who=gone) == [day(90)]
    assert due("cold", day(100), who=gone) == []


def test_nothing_is_due_before_a_relationship_began() -> None:
    later = customer(day(50))
    assert due("cold", day(49), *met(1), who=later) == []


def test_a_day_list_has_the_most_urgent_reason_first_and_then_the_earliest_day() -> None:
    rows: list[tuple[Key, Row]] = []
    for who, promised in (("C1", 9), ("C2", 7)):
        rows.append(((who, "customer", ""), customer()))
        follow_up = FollowUp(promised_on=day(5), follow_up_on=day(promised))
        rows.append(((who, "follow_up", "F"), follow_up))
    book = Book.from_rows(rows)
    found = list(agenda_rows(book, day(95), RULES))
    assert [(row.customer_id, row.reason) for row in found] == [
        ("C1", "cold"),
        ("C1", "follow_up"),
        ("C2", "cold"),
        ("C2", "follow_up"),
    ]
    listed = [(row.customer_id, row.reason) for row in ranked(found, RULES)]
    assert listed == [("C2", "follow_up"), ("C1", "follow_up"), ("C1", "cold"), ("C2", "cold")]


def test_a_managers_list_has_the_customers_they_help_to_maintain() -> None:
    joint = Assignment(day(5), "RM-2", "joint")
    shared = replace(customer(), assignments=(*customer().assignments, joint))
    book = Book.from_rows([has("customer", "", shared), (("C2", "customer", ""), customer())])
    rows = list(agenda_rows(book, day(95), RULES))
    assert [r.customer_id for r in of_manager(book, rows, "RM-1", day(95))] == ["C1", "C2"]
    assert [r.customer_id for r in of_manager(book, rows, "RM-2", day(95))] == ["C1"]
    assert list(of_manager(book, rows, "RM-2", day(4))) == []


def test_a_follow_up_is_open_kept_kept_late_or_missed() -> None:
    promise = has("follow_up", "F1", FollowUp(promised_on=day(5), follow_up_on=day(20)))
    told = [has("customer", "", customer()), promise]
    for as_of, met_on, expected in (
        (4, (), []),
        (20, (), [("open", None)]),
        (21, (), [("missed", None)]),
        (21, (20,), [("kept", day(20))]),
        (30, (19, 22, 25), [("kept_late", day(22))]),
        (21, (22,), [("missed", None)]),
    ):
        book = Book.from_rows([*told, *met(*met_on)])
        found = follow_up_rows(book, day(as_of), RULES.follow_up)
        assert [(row.status, row.kept_on) for row in found] == expected


def test_no_promise_binds_before_the_opening_nor_from_the_end_of_the_relationship_on() -> None:
    promise = FollowUp(promised_on=day(2), follow_up_on=day(6))
    for opened, closed, expected in (
        (day(0), None, ["missed"]),
        (day(0), day(7), ["missed"]),
        (day(0), day(6), []),
        (day(9), None, ["missed"]),
        (day(10), None, []),
    ):
        who = replace(customer(opened), closed_on=closed)
        told = [has("customer", "", who), has("follow_up", "F1", promise)]
        found = follow_up_rows(Book.from_rows(told), day(9), RULES.follow_up)
        assert [row.status for row in found] == expected, (opened, closed)
        seen = follow_up_rows(Book.from_rows([*told, *met(6)]), day(9), RULES.follow_up)
        assert [row.status for row in seen] == ["kept"] * len(expected)


def test_a_promise_is_kept_by_a_later_contact_than_the_one_that_made_it() -> None:
    made = replace(contact(day(5), day(5)), happened_at=600)
    for again, kept_on in (
        (replace(made, follow_up_on=None, happened_at=601), day(5)),
        (replace(made, follow_up_on=None, happened_at=599), None),
        (replace(made, follow_up_on=None), None),
        (contact(day(6)), day(6)),
    ):
        told = [has("customer", "", customer()), has("contact", "V1", made)]
        book = Book.from_rows([*told, has("contact", "V2", again)])
        [row] = follow_up_rows(book, day(9), RULES.follow_up)
        assert row.kept_on == kept_on


def test_a_promise_for_a_day_before_its_contact_is_not_kept_by_that_contact() -> None:
    book = Book.from_rows(
        [has("customer", "", customer()), has("contact", "V1", contact(day(5), day(2)))]
    )
    [row] = follow_up_rows(book, day(9), RULES.follow_up)
    assert (row.status, row.kept_on) == ("missed", None)


@given(books, as_ofs)
def test_the_agenda_is_in_key_order_and_lists_whom_it_may(book: Book, as_of: date) -> None:
    rows = list(agenda_rows(book, as_of, RULES))
    assert rows == sorted(rows, key=lambda row: (row.customer_id, row.reason, row.due_on))
    assert all(book.customers[row.customer_id].opened_on <= as_of for row in rows)
    assert sorted(ranked(rows, RULES), key=repr) == sorted(rows, key=repr)


@given(books, as_ofs)
def test_what_is_dated_later_changes_no_agenda(book: Book, as_of: date) -> None:
    rows = list(agenda_rows(book, as_of, RULES))
    for contacts in book.contacts_of.values():
        contacts[:] = [each for each in contacts if each.happened_on <= as_of]
    assert list(agenda_rows(book, as_of, RULES)) == rows


@pytest.mark.parametrize(
    ("entry", "instead", "told"),
    [
        ("after_days = 90", "after_day = 90", "cold.after_day is not one of after_days"),
        ("after_days = 90", 'after_days = "soon"', "cold.after_days"),
        ('"12-20"]', '"02-29"]', "interest_date"),
        ('"21:00"', '"25:00"', "quiet_hours"),
        ('  "cold",\n', "", "reasons: without cold; every reason is there, once"),
        ("[cold]", "[cold", "agenda.toml"),
        ("[cold]\nafter_days = 90", "", "cold: is missing; it may hold a table of after_days"),
    ],
)
def test_rules_that_cannot_be_used_say_which_entry(
    tmp_path: Path, entry: str, instead: str, told: str
) -> None:
    text = (DATA / "agenda.toml").read_text("utf-8")
    assert entry in text
    path = tmp_path / "agenda.toml"
    path.write_text(text.replace(entry, instead), "utf-8")
    with pytest.raises(RulesError, match=told):
        read_rules(path, AgendaFile)
