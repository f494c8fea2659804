"""The book of a close is the same whether it comes from views that went on or from the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consumers.closing_book import ClosingBook
from infra.codec import canonical, decode
from infra.views.row_codec import ROWS
from projections.projection import COMPLIANCE, RELATIONSHIP
from tests.closing_ledger import SHORT, balances, close, march, new_bank, settings_of, tell
from tests.write_side import ACCOUNT, told
from tests.write_side import RELATIONSHIP as CUSTOMER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.composition import Parts

VIEWS = (RELATIONSHIP, COMPLIANCE)


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Parts]:
    """Six customers; days are closed, and balances of two of them are told in between."""
    others = [
        command
        for number in range(2, 7)
        for command in (
            told("open-relationship", CUSTOMER | {"customer_id": f"C{number}"}),
            told(
                "open-account", ACCOUNT | {"account_id": f"B{number}", "customer_id": f"C{number}"}
            ),
        )
    ]
    with new_bank(settings_of(tmp_path), *others, *balances(*SHORT)) as parts:
        close(parts, march(4), march(5))
        tell(parts, *balances("7.00", account_id="B2"))
        close(parts, march(6), march(8))
        tell(parts, *balances("70.00", first=march(3)))
        close(parts, march(9), carry=True)
        parts.catch_up()
        yield parts


def book_at(parts: Parts, position: int, *, of_views: bool) -> ClosingBook:
    book = ClosingBook(parts.store, canonical, decode, ROWS)
    book.start(parts.views, VIEWS, position if of_views else 0)
    book.advance(position, position, march(9))
    return book


def test_views_that_went_on_are_taken_back_to_any_position(bank: Parts) -> None:
    for position in range(1, bank.store.position() + 1):
        taken_back = book_at(bank, position, of_views=True)
        replayed = book_at(bank, position, of_views=False)
        assert taken_back.position == replayed.position == position
        assert taken_back.book == replayed.book, position
        assert taken_back.parked == replayed.parked


def test_what_closes_told_since_costs_no_replay_of_a_customer(
    bank: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(bank, march(10), carry=True)
    tell(bank, *balances("10.00", first=march(4)))
    bank.catch_up()
    before = bank.store.position()
    close(bank, march(11), carry=True)
    bank.catch_up()
    read: set[str] = set()
    store = type(bank.store)
    asked = store.read_customers

    def noted(self: object, ids: list[str], through: int | None = None) -> object:
        read.update(ids)
        return asked(self, ids, through)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(store, "read_customers", noted)
    book = ClosingBook(bank.store, canonical, decode, ROWS)
    book.start(bank.views, VIEWS, before)
    assert (book.position, read) == (before, set())
    assert len(book.book.tested["K1"]) == 1
