"""Answers as JSON documents, the same for the CLI's `--json` and for HTTP."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Any

from projections.findings import assigned_at
from projections.judgement import gap

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NamedTuple, TypeAlias

    from domain.commitment import CountedAccount, Terms
    from domain.reported import Cause, CommitmentTested
    from projections.agenda_rules import AgendaRules
    from projections.book import Book
    from projections.contact_agenda import AgendaRow
    from projections.facts import CrossCheck, EquityCheck
    from projections.findings import FindingRow
    from projections.guarantee_network import Circle
    from projections.judgement import Judgement
    from projections.loss_walk import LossWalk
    from projections.ownership import HandoverState
    from projections.referral_attribution import Attribution
    from projections.relationship_state import Relationship

    Fact: TypeAlias = CrossCheck | EquityCheck | Terms | CountedAccount | CommitmentTested | Cause


def row_document(row: NamedTuple) -> dict[str, Any]:
    """Return a row by its columns, dates as ISO strings."""
    return {name: plain(value) for name, value in row._asdict().items()}


def agenda_document(row: AgendaRow, rules: AgendaRules) -> dict[str, Any]:
    """Return a row of the agenda with the rank of its reason, 1 the most urgent."""
    return {**row_document(row), "rank": rules.reasons.index(row.reason) + 1}


def handover_document(state: HandoverState) -> dict[str, Any]:
    """Return a handover, how it was answered, and the open items that go over with it."""
    return {
        "handover_id": state.handover.handover_id,
        "from_manager": state.handover.from_manager,
        "to_manager": state.handover.to_manager,
        "proposed_on": state.handover.proposed_on.isoformat(),
        "answer": state.answer,
        "answered_on": plain(state.answered_on),
        "open_follow_ups": [on.isoformat() for on in state.follow_ups],
        "commitments_at_risk": list(state.commitments),
    }


def judgement_document(found: Judgement) -> dict[str, Any]:
    """Return what was judged of a customer; amounts in minor units of each check's currency."""
    return {
        "cross_checks": [
            {"cross_check_id": id_, **fact_document(check)}
            for id_, check in found.cross_checks.items()
        ],
        "equity_checks": [
            {"equity_check_id": id_, **fact_document(check), "gap": gap(check)}
            for id_, check in found.equity_checks.items()
        ],
        "checklist": [row_document(row) for row in found.checklist],
    }


def fact_document(fact: Fact) -> dict[str, Any]:
    """Return a fact by its fields' names, dates as ISO strings."""
    return {field.name: plain(getattr(fact, field.name)) for field in fields(fact)}


def relationship_document(found: Relationship, as_of: date, currency: str) -> dict[str, Any]:
    """Return all that is known of one relationship; amounts in minor units."""
    return {
        "as_of": as_of.isoformat(),
        "currency": currency,
        **row_document(found.row),
        "joint_managers": list(found.joint_managers),
        "tier": found.tier,
        "consents": list(found.consents),
        "open_findings": list(found.open_findings),
        "may_be_named": found.may_be_named,
        "referrer_may_be_named": found.referrer_may_be_named,
        "closed_on": plain(found.closed_on),
    }


def finding_document(
    book: Book, row: FindingRow, as_of: date, events: Iterable[str]
) -> dict[str, Any]:
    """Return a finding with the law that judged it, facts and events, and who deals with it."""
    finding = book.findings[row.finding_id][1]
    return {
        **row_document(row),
        "pack": finding.pack,
        "offended_on": finding.offended_on.isoformat(),
        "facts": list(finding.facts),
        "events": list(events),
        "detail": finding.detail,
        "assigned_to": assigned_at(finding, as_of),
    }


def attribution_document(owed: Attribution) -> dict[str, Any]:
    """Return to whom a conversion is owed, shares in parts per million."""
    return {**row_document(owed), "shares": [row_document(share) for share in owed.shares]}


def circle_document(circle: Circle) -> dict[str, Any]:
    """Return a circle with its guarantees, each in its own currency, and its members."""
    edges = [
        {
            "guarantee_id": edge.guarantee_id,
            "guarantor_id": edge.guarantor_id,
            "borrower_id": edge.borrower_id,
            "loan_id": edge.guarantee.loan_id,
            "amount": edge.guarantee.amount,
            "currency": edge.guarantee.currency,
            "given_on": edge.guarantee.given_on.isoformat(),
        }
        for edge in circle.edges
    ]
    parties = [row_document(party) for party in circle.parties]
    return {**row_document(circle.row), "edges": edges, "parties": parties}


def loss_walk_document(walk: LossWalk, as_of: date, currency: str) -> dict[str, Any]:
    """Return the steps of a loss walk and what they come to; amounts in minor units."""
    return {
        "as_of": as_of.isoformat(),
        "currency": currency,
        "defaults": [row_document(default) for default in walk.defaults],
        "calls": [row_document(call) for call in walk.calls],
        "owed": walk.owed,
        "paid": walk.paid,
        "lost": walk.lost,
    }


def plain(value: object) -> object:
    """Return a date as an ISO string, anything else as it is."""
    return value.isoformat() if isinstance(value, date) else value
