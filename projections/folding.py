"""The folds: what one event does to the facts.

`key_of` says which row an event touches, at most one and always under the event's own customer;
`fold` gives the new version of that row. A view keeps the kinds it names; the fold of a kind is
the same in all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain import close, contact, prospect, referral, reported
from projections.folds import contacts, deposits, findings, loans, referrals, relationships
from projections.folds.rules import CannotApplyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.catalogue import Event
    from domain.record import Recorded
    from projections.facts import Key, Row
    from projections.folds.rules import Rule

__all__ = ["FOLDED", "UNFOLDED", "CannotApplyError", "fold", "key_of"]

_RULES: Mapping[type[Event], Rule] = {
    **relationships.RULES,
    **contacts.RULES,
    **loans.RULES,
    **deposits.RULES,
    **referrals.RULES,
    **findings.RULES,
}

# What is on record only: no view of today keeps anything of these.
UNFOLDED: frozenset[type[Event]] = frozenset(
    {
        contact.ComplaintRecorded,
        reported.CommitmentBreached,  # its test says so too
        reported.CommitmentCured,
        close.CloseStarted,
        close.BusinessDateClosed,
        referral.ReferralAssigned,
        referral.ReferralQualified,
        prospect.ProspectDescribed,  # the ledger's side table knows
        prospect.ProspectForgotten,
    }
)
FOLDED: frozenset[type[Event]] = frozenset(_RULES)


def key_of(recorded: Recorded) -> Key | None:
    """Return the key of the row that the event touches, None where it touches none."""
    event = recorded.event
    rule = _RULES.get(type(event))
    return (event.customer_id, rule.kind, rule.id_of(event)) if rule else None


def fold(row: Row | None, recorded: Recorded) -> Row:
    """Return the row after the event, given the row of `key_of(recorded)` before it.

    Raises `CannotApplyError`. The event must have a key.
    """
    event = recorded.event
    return _RULES[type(event)].fold(row, event)
