"""A customer, what they consented to, and a partner."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from domain import partner, prospect, relationship
from domain.ownership import Assignment
from domain.telling import told
from projections.facts import (
    AdmissionCheck,
    Agreement,
    Consent,
    Consented,
    Customer,
    Handover,
    Partner,
    Profile,
    TierFrom,
)
from projections.folds.rules import changes, makes, rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from domain.catalogue import Event
    from projections.folds.rules import Rule


def _opened(event: relationship.RelationshipOpened) -> Customer:
    return Customer(
        kind=event.kind,
        opened_on=event.opened_on,
        profiles=(Profile(event.opened_on, event.segment, event.branch),),
        assignments=(Assignment(event.opened_on, event.manager, "owner"),),
    )


def _profile(row: Customer, event: relationship.ProfileChanged) -> Customer:
    # Told before the opening day (a relationship opened ahead of the books), it holds from then.
    since = max(event.changed_on, row.opened_on)
    profile = Profile(since, event.segment, event.branch)
    return replace(row, profiles=(*row.profiles, profile))


def _assigned(
    row: Customer,
    event: relationship.ManagerAssigned
    | relationship.ManagerReleased
    | relationship.HandoverAccepted,
) -> Customer:
    return replace(row, assignments=(*row.assignments, relationship.assignment_of(event)))


def _handover(row: Customer, event: relationship.HandoverProposed) -> Customer:
    return replace(row, handovers=(*row.handovers, told(Handover, event)))


def _handover_declined(row: Customer, event: relationship.HandoverDeclined) -> Customer:
    return _answered(row, event.handover_id, lambda h: replace(h, declined_on=event.declined_on))


def _handed_over(row: Customer, event: relationship.HandoverAccepted) -> Customer:
    taken = _assigned(row, event)
    return _answered(taken, event.handover_id, lambda h: replace(h, accepted_on=event.accepted_on))


def _answered(row: Customer, id_: str, answer: Callable[[Handover], Handover]) -> Customer:
    handovers = (answer(each) if each.handover_id == id_ else each for each in row.handovers)
    return replace(row, handovers=tuple(handovers))


def _tier(row: Customer, event: relationship.TierAssigned) -> Customer:
    tier = TierFrom(event.assigned_on, event.tier, event.review_on)
    return replace(row, tiers=(*row.tiers, tier))


def _closed(row: Customer, event: relationship.RelationshipClosed) -> Customer:
    return replace(row, closed_on=event.closed_on)


def _merged(row: Customer, event: relationship.RelationshipMerged) -> Customer:
    return replace(row, merged_on=event.merged_on)


def _forgotten(row: Customer, event: relationship.RelationshipForgotten) -> Customer:
    return replace(row, forgotten_on=event.forgotten_on)


def _consent_given(
    row: Consent | None, event: relationship.ConsentGiven | prospect.ProspectConsentGiven
) -> Consent:
    return _consent(row, Consented(event.given_on, given=True))


def _consent_withdrawn(
    row: Consent | None, event: relationship.ConsentWithdrawn | prospect.ProspectConsentWithdrawn
) -> Consent:
    return _consent(row, Consented(event.withdrawn_on, given=False))


def _consent(row: Consent | None, consented: Consented) -> Consent:
    return Consent((*(row.told if row else ()), consented))


def _admission(row: Partner | None, event: partner.PartnerAdmissionChecked) -> Partner:
    row = row or Partner()
    check = AdmissionCheck(event.checked_on, event.subject, event.result, event.figure)
    return replace(row, checks=(*row.checks, check))


def _partner_agreed(row: Partner | None, event: partner.PartnerAgreed) -> Partner:
    row = row or Partner()
    return replace(row, agreements=(*row.agreements, told(Agreement, event, ended_on=None)))


def _partner_ended(row: Partner, event: partner.PartnerEnded) -> Partner:
    agreements = tuple(
        replace(each, ended_on=event.ended_on) if each.agreement_id == event.agreement_id else each
        for each in row.agreements
    )
    return replace(row, agreements=agreements)


RULES: Mapping[type[Event], Rule] = {
    **rules(
        "customer",
        lambda _: "",
        {
            relationship.RelationshipOpened: makes(_opened),
            relationship.ProfileChanged: changes(_profile),
            relationship.ManagerAssigned: changes(_assigned),
            relationship.ManagerReleased: changes(_assigned),
            relationship.HandoverProposed: changes(_handover),
            relationship.HandoverDeclined: changes(_handover_declined),
            relationship.HandoverAccepted: changes(_handed_over),
            relationship.TierAssigned: changes(_tier),
            relationship.RelationshipClosed: changes(_closed),
            relationship.RelationshipMerged: changes(_merged),
            relationship.RelationshipForgotten: changes(_forgotten),
        },
    ),
    **rules(
        "consent",
        attrgetter("purpose"),
        {
            relationship.ConsentGiven: _consent_given,
            relationship.ConsentWithdrawn: _consent_withdrawn,
            prospect.ProspectConsentGiven: _consent_given,
            prospect.ProspectConsentWithdrawn: _consent_withdrawn,
        },
    ),
    **rules(
        "partner",
        lambda _: "",
        {
            partner.PartnerAdmissionChecked: _admission,
            partner.PartnerAgreed: _partner_agreed,
            partner.PartnerEnded: changes(_partner_ended),
        },
    ),
}
