"""The table of festivals: known dates, every year, and what an agenda says beyond it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from infra.rules.reading import DATA, RulesError, agenda_rules, read_rules
from projections.agenda_rules import FestivalDays, Festivals
from projections.book import Book
from projections.contact_agenda import AgendaRow, agenda_rows
from projections.facts import TierFrom
from tests.books import customer
from tests.surfaces.cli import guanxi

if TYPE_CHECKING:
    from pathlib import Path

TABLE = {each.name: each.days for each in read_rules(DATA / "festivals.toml", Festivals).festivals}
SPRING, LANTERN, QINGMING = "Spring Festival 春节", "Lantern 元宵", "Qingming 清明"
DRAGON_BOAT, MID_AUTUMN = "Dragon Boat 端午", "Mid-Autumn 中秋"
YEARS = range(1900, 2101)

# As the calendars of the years have them, from elsewhere than the table's source.
KNOWN = {
    SPRING: """1900-01-31 1949-01-29 1950-02-17 1960-01-28 1970-02-06 1976-01-31 1979-01-28
        1984-02-02 1985-02-20 1988-02-17 1990-01-27 1991-02-15 1992-02-04 1993-01-23 1994-02-10
        1995-01-31 1996-02-19 1997-02-07 1998-01-28 1999-02-16 2000-02-05 2001-01-24 2002-02-12
        2003-02-01 2004-01-22 2005-02-09 2006-01-29 2007-02-18 2008-02-07 2009-01-26 2010-02-14
        2011-02-03 2012-01-23 2013-02-10 2014-01-31 2015-02-19 2016-02-08 2017-01-28 2018-02-16
        2019-02-05 2020-01-25 2021-02-12 2022-02-01 2023-01-22 2024-02-10 2025-01-29 2026-02-17
        2027-02-06 2028-01-26 2029-02-13 2030-02-03 2033-01-31 2034-02-19""",
    LANTERN: "2022-02-15 2023-02-05 2024-02-24",
    QINGMING: "2019-04-05 2020-04-04 2021-04-04 2022-04-05 2023-04-05 2024-04-04 2025-04-04",
    DRAGON_BOAT: """2019-06-07 2020-06-25 2021-06-14 2022-06-03 2023-06-22 2024-06-10 2025-05-31
        2026-06-19 2027-06-09 2028-05-28""",
    MID_AUTUMN: """1978-09-17 2019-09-13 2020-10-01 2021-09-21 2022-09-10 2023-09-29 2024-09-17
        2025-10-06 2026-09-25 2027-09-15 2028-10-03 2033-09-08""",
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_table_has_the_days_that_are_known(name: str) -> None:
    known = {date.fromisoformat(day) for day in KNOWN[name].split()}
    assert known <= set(TABLE[name])


def test_every_festival_is_there_once_in_each_year() -> None:
    assert list(TABLE) == list(KNOWN)
    for days in TABLE.values():
        assert [day.year for day in days] == list(YEARS)


def test_the_days_lie_as_far_apart_as_moons_do() -> None:
    """A moon is 29.53 days, and each of the calendar's months begins with one."""
    first = date(1900, 1, 31)
    for name, of_the_moon in ((SPRING, 0), (LANTERN, 14), (DRAGON_BOAT, 4), (MID_AUTUMN, 14)):
        for day in TABLE[name]:
            age = (day - first).days % 29.530588
            off = (age - of_the_moon + 14.765) % 29.530588 - 14.765
            assert abs(off) < 1.6, (name, day)


def test_each_festival_keeps_to_its_season() -> None:
    seasons = {
        SPRING: ((1, 21), (2, 21)),
        LANTERN: ((2, 4), (3, 7)),
        QINGMING: ((4, 4), (4, 6)),
        DRAGON_BOAT: ((5, 27), (6, 26)),
        MID_AUTUMN: ((9, 7), (10, 8)),
    }
    for name, (first, last) in seasons.items():
        assert {first <= (day.month, day.day) <= last for day in TABLE[name]} == {True}, name
    assert {b - a for a, b in zip(TABLE[SPRING], TABLE[LANTERN], strict=True)} == {timedelta(14)}


def greeted(as_of: date) -> list[tuple[date, str]]:
    """Return the festivals for which a key customer stands on the agenda of a day."""
    key = replace(customer(as_of), tiers=(TierFrom(as_of, "gold"),))
    book = Book.from_rows([(("C1", "customer", ""), key)])
    rows = agenda_rows(book, as_of, agenda_rules())
    return [(row.due_on, row.detail) for row in rows if row.reason == "festival"]


@pytest.mark.parametrize("year", [1900, 1993, 1999, 2022, 2023, 2029, 2100])
def test_key_customers_are_greeted_in_every_year(year: int) -> None:
    for name in (SPRING, LANTERN, DRAGON_BOAT, MID_AUTUMN):
        on = TABLE[name][year - YEARS[0]]
        found = [greeted(on + timedelta(days)) for days in (-8, -7, 0, 1)]
        assert found == [[], [(on, name)], [(on, name)], []]


def test_qingming_is_greeted_where_a_bank_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = date(2024, 4, 4)
    assert greeted(on) == []
    text = (DATA / "agenda.toml").read_text("utf-8")
    (tmp_path / "agenda.toml").write_text(text.replace(LANTERN, QINGMING), "utf-8")
    monkeypatch.setenv("GUANXI_RULES", str(tmp_path))
    assert greeted(on) == [(on, QINGMING)]


def test_a_festival_that_the_table_has_not_is_refused_with_those_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (DATA / "agenda.toml").read_text("utf-8")
    path = tmp_path / "agenda.toml"
    path.write_text(text.replace(LANTERN, "Lanten"), "utf-8")
    monkeypatch.setenv("GUANXI_RULES", str(tmp_path))
    with pytest.raises(RulesError) as refused:
        agenda_rules()
    for told in (str(path), "festival.names.1", "'Lanten'", *TABLE):
        assert told in str(refused.value)


def test_a_table_with_a_day_out_of_order_or_a_name_twice_is_refused() -> None:
    first, second = date(2024, 1, 1), date(2025, 1, 1)
    for days in ((), (second, first), (first, first)):
        with pytest.raises(ValueError, match=r"days: .*(at least one|they rise)"):
            FestivalDays(name="F", days=days)
    sound = FestivalDays(name="F", days=(first, second))
    with pytest.raises(ValueError, match="there twice"):
        Festivals(festivals=(sound, sound))


def test_the_years_known_are_those_of_all_the_festivals() -> None:
    short = FestivalDays(name="F", days=(date(2024, 1, 1), date(2025, 1, 1)))
    rules = agenda_rules()
    assert rules.festival_years == YEARS
    assert replace(rules, greeted=(*rules.greeted, short)).festival_years == range(2024, 2026)
    assert 9999 in replace(rules, greeted=()).festival_years


def test_beyond_the_table_an_agenda_has_no_festivals_and_says_so_once(
    demo_ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUANXI_LEDGER", f"sqlite:{demo_ledger}")
    told = ["festivals not known: festivals.toml has those of 1900 to 2100"]
    for as_of, warnings in (("1993-02-21", []), ("2100-12-31", told), ("2150-01-01", told)):
        for call in (("show", "agenda", "--json"), ("export", "agenda", "--json")):
            answer = guanxi(*call, "--as-of", as_of)
            assert answer.status == 0, answer.err
            assert answer.document()["warnings"] == warnings
            assert answer.err.count("festivals not known") == len(warnings), (call, as_of)
        answer = guanxi("export", "agenda", "--as-of", as_of)
        assert answer.out.splitlines()[0] == ",".join(AgendaRow._fields)
        assert answer.err.count("festivals not known") == len(warnings)
