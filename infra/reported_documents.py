"""What explains a commitment, as JSON documents: days, costs, reports; amounts in minor units."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Any

from domain.close import event_id
from infra.documents import row_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumers.event_store import EventStore
    from domain.compliance import WindowResult
    from domain.consequence import Consequence
    from domain.values import Instant
    from projections.book import Book
    from projections.explained_window import ExplainedDay
    from projections.facts import Report


def observations(
    store: EventStore, days: Sequence[ExplainedDay], known_at: Instant | None
) -> Mapping[str, int]:
    """Return the position of the event that gave each balance, by `balance:<account>:<date>`.

    A balance corrected after the instant of the question has none.
    """
    keys = {
        f"balance:{account.account_id}:{account.observed_on}"
        for day in days
        for account in day.accounts
        if account.observed_on is not None
    }
    through = None if known_at is None else store.position_at(known_at)
    return {
        key: held.position
        for key, held in store.held(keys).items()
        if through is None or held.position <= through
    }


def explained_document(
    window: WindowResult, days: Sequence[ExplainedDay], seen: Mapping[str, int]
) -> dict[str, Any]:
    """Return the days of a window, each balance with the position of its event."""
    return {
        "window_start": window.window_start.isoformat(),
        "window_end": window.window_end.isoformat(),
        "status": window.status,
        "days": [
            row_document(day)
            | {
                "accounts": [
                    row_document(account)
                    | {"position": seen.get(f"balance:{account.account_id}:{account.observed_on}")}
                    for account in day.accounts
                ]
            }
            for day in days
        ],
    }


def cost_document(window: WindowResult, cost: Consequence) -> dict[str, Any]:
    """Return what a breached window costs: base × rate ÷ divisor, rounded half up."""
    return {
        "window_start": window.window_start.isoformat(),
        **cost._asdict(),
        "amount": cost.amount,
    }


def reports_document(
    book: Book, commitment_id: str, as_of: date, ledger_id: str
) -> list[dict[str, Any]]:
    """Return each report made by a date, by window and in order, with the id of its event."""
    return [
        {
            "window_start": start.isoformat(),
            "test_id": event_id(
                ledger_id, report.tested_on, "commitment-tested", commitment_id, start
            ),
            **_report(report),
        }
        for start, tested in sorted(book.tested.get(commitment_id, {}).items())
        for report in tested.reports
        if report.tested_on <= as_of
    ]


def _report(report: Report) -> dict[str, Any]:
    values = {field.name: getattr(report, field.name) for field in fields(report)}
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in values.items()
    }
