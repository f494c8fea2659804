"""A book whose balances and reports stay packed is the book of the same rows."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.packed_rows import GROUPS_OPEN_MAX, PackedBook
from infra.views.row_codec import ROWS, pack_row
from projections import facts
from projections.book import Book

if TYPE_CHECKING:
    from collections.abc import Iterable

    from projections.facts import Key, Row


def months(account: str, *names: str, of: int = 7) -> dict[Key, Row]:
    customer = account.replace("A", "C")
    days = (of,) + (None,) * 30
    return {
        (customer, "balances", f"{account}/{name}"): facts.BalanceMonth(days) for name in names
    }


def account(id_: str) -> dict[Key, Row]:
    row = facts.Account(kind="current", currency="CZK", opened_on=date(2024, 1, 1))
    return {(id_.replace("A", "C"), "account", id_): row}


def reported(commitment: str, start: str) -> dict[Key, Row]:
    report = facts.Report(
        tested_on=date(2024, 2, 1),
        window_end=date(2024, 1, 31),
        metric="average",
        through=7,
        carried_days=0,
        unknown_days=0,
        balance_days=1,
        required_days=1,
        surplus=0,
        shortfall=0,
        outcome="met",
        cured_on=None,
        inputs_sha256="",
    )
    return {("C1", "tested", f"{commitment}/{start}"): facts.Tested((report,))}


def packed(rows: dict[Key, Row]) -> PackedBook:
    book = PackedBook(ROWS)
    book.take((*key, pack_row(key[1], rows[key])) for key in sorted(rows))
    return book


def same(book: PackedBook, rows: dict[Key, Row]) -> None:
    assert book.book == Book.from_rows(rows.items())
    assert book.find(rows) == rows


ROWS_OF = {
    **account("A1"),
    **account("A2"),
    **months("A1", "2023-12", "2024-01"),
    **months("A2", "2024-01"),
    **reported("K1", "2024-01-01"),
}


def test_packed_rows_are_read_as_they_were() -> None:
    same(packed(ROWS_OF), ROWS_OF)
    assert packed(ROWS_OF).customers() == {"C1", "C2"}


def test_months_are_in_calendar_order_whenever_they_came() -> None:
    book = packed(account("A1") | months("A1", "2024-01"))
    book.put(months("A1", "2023-11"))
    assert list(book.book.balances["A1"]) == ["2023-11", "2024-01"]


def test_what_nobody_has_is_not_there() -> None:
    book = packed(ROWS_OF)
    assert book.find([("C9", "balances", "A9/2024-01"), ("C9", "account", "A9")]) == {}
    assert "A9" not in book.book.balances
    with pytest.raises(KeyError):
        book.book.balances["A9"]


def test_a_group_without_rows_is_gone() -> None:
    book = packed(ROWS_OF)
    book.drop([*reported("K1", "2024-01-01"), *months("A2", "2024-01")])
    assert (len(book.book.tested), list(book.book.balances)) == (0, ["A1"])


@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["A1", "A2"]), st.integers(0, 9)),
            st.sampled_from(sorted(ROWS_OF)),
            st.sampled_from(["C1", "C2"]),
        ),
        max_size=12,
    )
)
def test_a_book_that_changes_is_the_book_of_what_is_left(
    steps: Iterable[tuple[str, int] | Key | str],
) -> None:
    rows, book = dict(ROWS_OF), packed(ROWS_OF)
    for step in steps:
        if isinstance(step, str):
            rows = {key: row for key, row in rows.items() if key[0] != step}
            book.drop_customers({step})
        elif len(step) == 3:
            if rows.pop(step, None):
                book.drop([step])
        else:
            account_id, of = step
            told = account(account_id) | months(account_id, "2024-01", "2024-02", of=of)
            rows |= told
            book.put(told)
        same(book, rows)


def test_more_groups_than_stay_open_are_read_again() -> None:
    rows: dict[Key, Row] = {}
    for number in range(GROUPS_OPEN_MAX + 2):
        rows |= account(f"A{number}") | months(f"A{number}", "2024-01", of=number)
    book = packed(rows)
    for _ in range(2):
        assert [days["2024-01"][0] for days in book.book.balances.values()] == [
            int(id_[1:]) for id_ in book.book.balances
        ]
