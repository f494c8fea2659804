"""What explains a commitment, as JSON documents: days, costs, reports; amounts in minor units.

The closes themselves too.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from infra.audit import utc_text
from infra.commitment_documents import commitment_document
from infra.documents import fact_document, row_document
from projections.explained_window import consequences, explained_days, window_on
from projections.projection import COMPLIANCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from domain.compliance import Test, WindowResult
    from domain.consequence import Consequence
    from domain.values import Instant
    from infra.closes import CloseTold
    from infra.composition import Parts
    from infra.reports import ReportTold
    from projections.book import Book
    from projections.explained_window import AccountDay, ExplainedDay


class Explained(NamedTuple):
    """What each breached window costs, and one window day by day; None where none has begun."""

    costs: Sequence[tuple[WindowResult, Consequence]]
    test: Test | None
    days: Sequence[ExplainedDay]


def explained(book: Book, commitment_id: str, as_of: date, within: date | None) -> Explained:
    """Explain a commitment, and the window that has a day, or without one that begun last."""
    costs = list(consequences(book, commitment_id, as_of))
    test = window_on(book, commitment_id, as_of, within)
    if test is None:
        return Explained(costs, None, ())
    days = list(explained_days(book, commitment_id, as_of, test.result.window_start))
    return Explained(costs, test, days)


def explained_commitment_document(
    parts: Parts,
    book: Book,
    commitment_id: str,
    as_of: date,
    known_at: Instant | None,
    found: Explained,
) -> dict[str, Any]:
    """Return a commitment with its costs and, where there is one, the window explained."""
    document = commitment_document(book, commitment_id, as_of)
    document["consequences"] = [cost_document(*each) for each in found.costs]
    if found.test is not None:
        seen = observations(parts, found.days, known_at)
        document["explained"] = explained_document(found.test, found.days, seen)
    return document


def observations(
    parts: Parts, days: Sequence[ExplainedDay], known_at: Instant | None
) -> Mapping[tuple[str, date], int]:
    """Return the position of the event that gave each balance, by account and date.

    As known at an instant, that is the last one told of the day by then, corrected since or not;
    none that was dropped from the view.
    """
    store, dropped = parts.store, parts.views.dropped(COMPLIANCE.name)
    seen = {
        (account.account_id, account.observed_on)
        for day in days
        for account in day.accounts
        if account.observed_on is not None
    }
    held = store.held(f"balance:{account_id}:{on}" for account_id, on in seen)
    found = {each: held[f"balance:{each[0]}:{each[1]}"].position for each in seen}
    through = store.position() if known_at is None else store.position_at(known_at)
    told_before = {
        account_id for (account_id, _), last in found.items() if last > through or last in dropped
    }
    streams = store.read_streams([f"balances-{each}" for each in told_before], through)
    for account_id in told_before:
        for record in streams[f"balances-{account_id}"]:
            if record.position not in dropped:
                found[account_id, date.fromisoformat(record.occurred_on)] = record.position
    return found


def explained_document(
    test: Test, days: Sequence[ExplainedDay], seen: Mapping[tuple[str, date], int]
) -> dict[str, Any]:
    """Return what was carried into a window and its days, each balance with its event's position.

    The surplus is in balance-days.
    """
    window = test.result
    return {
        "window_start": window.window_start.isoformat(),
        "window_end": window.window_end.isoformat(),
        "status": window.status,
        "surplus": test.surplus,
        "days": [
            row_document(day)
            | {
                "accounts": [
                    row_document(account) | {"position": _position(seen, account)}
                    for account in day.accounts
                ]
            }
            for day in days
        ],
    }


def _position(seen: Mapping[tuple[str, date], int], account: AccountDay) -> int | None:
    if account.observed_on is None:
        return None
    return seen[account.account_id, account.observed_on]


def cost_document(window: WindowResult, cost: Consequence) -> dict[str, Any]:
    """Return what a breached window costs: base × rate ÷ divisor, rounded half up."""
    return {
        "window_start": window.window_start.isoformat(),
        **cost._asdict(),
        "amount": cost.amount,
    }


def report_document(report: ReportTold) -> dict[str, Any]:
    """Return a report by its event's fields, with its id and what it applied."""
    told = fact_document(report.tested)
    del told["customer_id"], told["commitment_id"]
    causes = [fact_document(cause) for cause in report.tested.causes]
    amounts = {"applied": report.applied, "standing": report.standing}
    return {"test_id": report.test_id, **told, "causes": causes, **amounts}


def last_report_document(
    reports: Iterable[ReportTold], window_start: str, window_end: str
) -> dict[str, Any] | None:
    """Return what closes reported last of a window (ISO dates), None where they did not yet."""
    window = (date.fromisoformat(window_start), date.fromisoformat(window_end))
    made = [report for report in reports if report.window == window]
    return report_document(made[-1]) if made else None


def close_document(told: CloseTold) -> dict[str, Any]:
    """Return the close of a day; what came of it is None while it is not finished."""
    started, closed = told.started, told.closed
    return {
        "business_date": started.business_date.isoformat(),
        "balances": started.balances,
        "packs": [{"pack": each.pack, "sha256": each.sha256} for each in started.packs],
        "through": told.through,
        "started_at": utc_text(told.started_at),
        "closed_at": None if told.closed_at is None else utc_text(told.closed_at),
        "tested": closed.tested if closed else None,
        "reported": closed.reported if closed else None,
    }
