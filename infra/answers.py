"""Answers: a book of facts, as now known or as known at an instant, and the default date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from consumers.packed_rows import PackedBook
from consumers.replay import replay
from infra.closes import last_closed
from infra.codec import canonical, decode
from infra.views.row_codec import ROWS
from projections.book import Book, currencies, settled_in

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from domain.values import Instant
    from infra.composition import Parts
    from projections.projection import Projection


class QuestionError(Exception):
    """A question that cannot be answered as it was asked."""

    code: ClassVar[str]


class NothingRecordedError(QuestionError):
    """The ledger is empty, so there is no date to answer for."""

    code = "nothing-recorded"


class NotFoundError(QuestionError):
    """Nobody and nothing of that id is known, as of the date and as known then."""

    code = "not-found"


class NotOpenError(QuestionError):
    """The relationship has ended by the date, and the answer is of open ones alone."""

    code = "not-open"


class CurrencyUnknownError(QuestionError):
    """No account, loan or commitment is in the currency that was named."""

    code = "currency-unknown"


class CurrencyNeededError(QuestionError):
    """The ledger holds several currencies, and no exchange rate is guessed."""

    code = "currency-needed"


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of one ledger. `catch_up` of the parts is the caller's business."""

    parts: Parts

    def as_of(self, told: date | None) -> date:
        """Return the date told, else the last one closed, else the latest one recorded.

        Raises `NothingRecordedError`.
        """
        latest = told or last_closed(self.parts.store)
        if latest is None:
            message = "nothing was recorded: feed the ledger (guanxi ingest DIR) or name --as-of"
            raise NothingRecordedError(message)
        return latest

    def book(
        self,
        projection: Projection,
        known_at: Instant | None = None,
        customer_ids: Collection[str] | None = None,
    ) -> Book:
        """Return a projection's kinds of facts: its live view, or the same folds over the past."""
        if known_at is None:
            live = PackedBook(ROWS)
            live.take(self.parts.views.stored(projection.name, projection.kinds, customer_ids))
            return live.book
        through = self.parts.store.position_at(known_at)
        dropped = self.parts.views.dropped(projection.name)
        past = replay(self.parts.store, canonical, decode, through, customer_ids, dropped)
        return Book.from_rows(
            (key, row) for key, row in past.rows.items() if key[1] in projection.kinds
        )


def currency_of(book: Book, told: str | None) -> str:
    """Return the currency `chosen` of those of a book; where settlements alone are in it, told.

    Or where nothing else is in any.
    """
    there, settled = currencies(book), settled_in(book)
    return told if told in settled else chosen(there or settled, told)


def chosen(there: Sequence[str], told: str | None) -> str:
    """Return the currency told, else the only one there is.

    Raises `CurrencyNeededError`, `CurrencyUnknownError`.
    """
    if told and there and told not in there:
        message = f"nothing is in {told!r}: the ledger holds {', '.join(there)}"
        raise CurrencyUnknownError(message)
    if told:
        return told
    if len(there) > 1:
        message = f"the ledger holds {', '.join(there)}: name the currency"
        raise CurrencyNeededError(message)
    return there[0] if there else ""
