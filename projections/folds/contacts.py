"""Contacts, what was promised and checked, and dealings beside the accounts."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from domain import contact, dealing
from domain.telling import told
from projections.facts import (
    Contact,
    CrossCheck,
    EquityCheck,
    FollowUp,
    Gift,
    Payment,
    Sale,
    Settlement,
)
from projections.folds.rules import changes, makes, rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.catalogue import Event
    from projections.folds.rules import Rule

_MICROSECONDS_A_MINUTE = 60_000_000
_MINUTES_A_DAY = 24 * 60


def _contact(event: contact.ContactRecorded | contact.ContactCorrected) -> Contact:
    return Contact(
        happened_on=event.happened_on,
        happened_at=event.happened_at,
        local_minute=_local_minute(event.happened_at, event.utc_offset_minutes),
        channel=event.channel,
        direction=event.direction,
        by=event.by,
        follow_up_on=event.follow_up_on,
        purpose=event.purpose,
        outcome=event.outcome,
    )


def _local_minute(happened_at: int, utc_offset_minutes: int | None) -> int | None:
    if utc_offset_minutes is None:
        return None
    return (happened_at // _MICROSECONDS_A_MINUTE + utc_offset_minutes) % _MINUTES_A_DAY


def _follow_up(event: contact.FollowUpPromised) -> FollowUp:
    return FollowUp(promised_on=event.promised_on, follow_up_on=event.follow_up_on)


RULES: Mapping[type[Event], Rule] = {
    **rules(
        "contact",
        attrgetter("contact_id"),
        {
            contact.ContactRecorded: makes(_contact),
            contact.ContactCorrected: changes(lambda _, event: _contact(event)),
        },
    ),
    **rules(
        "follow_up", attrgetter("follow_up_id"), {contact.FollowUpPromised: makes(_follow_up)}
    ),
    **rules(
        "cross_check",
        attrgetter("cross_check_id"),
        {contact.CrossCheckRecorded: makes(lambda event: told(CrossCheck, event))},
    ),
    **rules(
        "equity_check",
        attrgetter("equity_check_id"),
        {contact.EquityChecked: makes(lambda event: told(EquityCheck, event))},
    ),
    **rules(
        "gift",
        attrgetter("gift_id"),
        {dealing.GiftGiven: makes(lambda event: told(Gift, event))},
    ),
    **rules(
        "payment",
        attrgetter("payment_id"),
        {dealing.PaymentMade: makes(lambda event: told(Payment, event))},
    ),
    **rules(
        "sale",
        attrgetter("sale_id"),
        {dealing.ProductSold: makes(lambda event: told(Sale, event))},
    ),
    **rules(
        "settlement",
        attrgetter("settlement_id"),
        {dealing.SettlementSeen: makes(lambda event: told(Settlement, event))},
    ),
}
