"""A commitment as a JSON document: its terms over time, its waivers, its windows."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from domain.commitment import Terms
from infra.documents import fact_document, plain, row_document
from projections.deposit_compliance import ComplianceRow, begun
from projections.terms_in_force import amendments, released_by, stretches_told, terms_in_force

if TYPE_CHECKING:
    from datetime import date

    from projections.book import Book
    from projections.facts import Waiver
    from projections.terms_in_force import Amendment, TermsStretch


def commitment_document(book: Book, commitment_id: str, as_of: date) -> dict[str, Any]:
    """Return a commitment by the terms in force on a date, all its terms, waivers and windows.

    The windows are those begun by the date. Amounts are minor units, ratios parts per million (1 %
    is 10,000).
    """
    customer_id, commitment = book.commitments[commitment_id]
    windows = [
        ComplianceRow(commitment_id, customer_id, commitment.loan_id, *result)
        for result in begun(book, commitment_id, as_of)
    ]
    return {
        "as_of": as_of.isoformat(),
        "commitment_id": commitment_id,
        "customer_id": customer_id,
        "loan_id": commitment.loan_id,
        "agreed_on": commitment.agreed_on.isoformat(),
        "released_on": plain(released_by(commitment, as_of)),
        **terms_document(terms_in_force(commitment, as_of).terms),
        "agreed": terms_document(commitment.terms[0].terms),
        "terms": [_stretch_document(one) for one in stretches_told(commitment, as_of)],
        "amendments": [_amendment_document(one) for one in amendments(commitment, as_of)],
        "waivers": [_waiver_document(one) for one in commitment.waivers if one.told_on <= as_of],
        "windows": [row_document(row) for row in windows],
    }


def terms_document(terms: Terms) -> dict[str, Any]:
    """Return terms by their fields' names."""
    return fact_document(terms) | {
        "accounts": [fact_document(account) for account in terms.accounts],
        "seasonal_profile": list(terms.seasonal_profile),
    }


def _stretch_document(stretch: TermsStretch) -> dict[str, Any]:
    return {
        "from": stretch.first.isoformat(),
        "to": stretch.last.isoformat(),
        "told_on": stretch.told.told_on.isoformat(),
        "reason": stretch.told.reason or None,
        **terms_document(stretch.told.terms),
    }


def _amendment_document(amendment: Amendment) -> dict[str, Any]:
    told, before = amendment.told, terms_document(amendment.before)
    after = terms_document(told.terms)
    return {
        "told_on": told.told_on.isoformat(),
        "effective_on": told.effective_on.isoformat(),
        "reason": told.reason,
        "changes": [
            {"field": field.name, "before": before[field.name], "after": after[field.name]}
            for field in fields(Terms)
            if before[field.name] != after[field.name]
        ],
    }


def _waiver_document(waiver: Waiver) -> dict[str, Any]:
    return {
        "waiver_id": waiver.waiver_id,
        "waived_on": waiver.told_on.isoformat(),
        "windows_from": waiver.windows_from.isoformat(),
        "windows_to": waiver.windows_to.isoformat(),
        "requested_by": waiver.requested_by,
        "approved_by": waiver.approved_by,
        "reason": waiver.reason,
    }
