"""Partners (合作单位): were they checked, what did they bring, and what is it worth, on a date.

A partner is whoever was checked as one, has an agreement, or brought a lead via `partner`. A lead
is such a referral. The quality is that of what the leads that converted took on since they were
introduced. Amounts are minor units of the one currency asked for; counts are of all.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from domain.values import ONE, Minor
from domain.windows import months_later
from projections.book import drawn, matures_on, outstanding
from projections.deposit_compliance import begun
from projections.facts import Partner
from projections.network_rules import version_on
from projections.percentiles import nearest_rank
from projections.referral_forest import standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from projections.book import Book
    from projections.facts import AdmissionCheck, Agreement, Loan
    from projections.partner_rules import PartnerRules, Required

VIA_PARTNER = "partner"
_ONE_DAY = timedelta(days=1)

AgreementStatus: TypeAlias = Literal["none", "coming", "running", "ended"]


class PartnerRow(NamedTuple):
    """One partner; the fields are the columns of the `partners` export.

    `lacks` are the subjects without a sound check, joined by spaces, `lacked` those on the day of
    the agreement. `unagreed_leads` came on days without an agreement. A commitment is missed with
    any window breached, a loan late where anything is outstanding after its last day.
    """

    partner_id: str
    admission: Literal["complete", "lacking"]
    lacks: str
    agreement: AgreementStatus
    agreement_id: str | None
    agreed_on: date | None
    starts_on: date | None
    ends_on: date | None
    approved_by: str | None
    lacked: str | None
    leads: int
    unagreed_leads: int
    converted: int
    conversion_ppm: int | None
    days_p50: int | None
    days_p90: int | None
    drawn: Minor
    deposits: Minor
    commitments: int
    commitments_missed: int
    windows_breached: int
    loans: int
    loans_late: int
    late_outstanding: Minor


class _Lead(NamedTuple):
    prospect_id: str
    introduced_on: date
    converted_on: date | None


def partner_rows(
    book: Book, as_of: date, currency: str, versions: Sequence[PartnerRules]
) -> Iterator[PartnerRow]:
    """Yield a row for each partner of the date, by id in code point order."""
    leads = _leads(book, as_of)
    told = {id_: _until(partner, as_of) for id_, partner in book.partners.items()}
    known = {id_ for id_, partner in told.items() if partner.checks or partner.agreements}
    for partner_id in sorted(known | leads.keys()):
        partner, brought = told.get(partner_id, Partner()), leads.get(partner_id, [])
        parts = (
            _admission(partner, as_of, versions),
            _agreement(partner, as_of, versions),
            _brought(partner, brought),
            _quality(book, brought, as_of, currency),
        )
        yield PartnerRow._make((partner_id, *chain(*parts)))


def lacking(
    checks: Iterable[AdmissionCheck], on: date, admission: Iterable[Required]
) -> tuple[str, ...]:
    """Return the subjects that are not soundly checked on a day, in the order required."""
    latest = {
        check.subject: check for check in sorted(checks, key=attrgetter("on")) if check.on <= on
    }
    return tuple(
        required.subject
        for required in admission
        if not _sound(latest.get(required.subject), on, required)
    )


def _sound(check: AdmissionCheck | None, on: date, required: Required) -> bool:
    if check is None or check.result == "failed":
        return False
    if check.on < months_later(on, -required.valid_months):
        return False
    figure, least, most = check.figure, required.at_least, required.at_most
    if figure is None:
        return least is None and most is None
    return (least is None or figure >= least) and (most is None or figure <= most)


def _until(partner: Partner, as_of: date) -> Partner:
    """Return what was told of a partner with a date up to the day."""
    return Partner(
        tuple(check for check in partner.checks if check.on <= as_of),
        tuple(
            replace(each, ended_on=None) if each.ended_on and each.ended_on > as_of else each
            for each in partner.agreements
            if each.agreed_on <= as_of
        ),
    )


def _covers(agreement: Agreement, on: date) -> bool:
    """Tell whether an agreement is in force on a day."""
    ended_on = agreement.ended_on
    return agreement.starts_on <= on <= agreement.ends_on and (ended_on is None or on < ended_on)


class _Admission(NamedTuple):
    admission: Literal["complete", "lacking"]
    lacks: str


def _admission(partner: Partner, as_of: date, versions: Sequence[PartnerRules]) -> _Admission:
    lacks = lacking(partner.checks, as_of, version_on(versions, as_of).admission)
    return _Admission("lacking" if lacks else "complete", " ".join(lacks))


class _Agreement(NamedTuple):
    status: AgreementStatus
    agreement_id: str | None = None
    agreed_on: date | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    approved_by: str | None = None
    lacked: str | None = None


def _agreement(partner: Partner, as_of: date, versions: Sequence[PartnerRules]) -> _Agreement:
    """Return the agreement in force, else the next to come, else the last that ended."""
    running = [each for each in partner.agreements if _covers(each, as_of)]
    coming = [
        each for each in partner.agreements if each.starts_on > as_of and each.ended_on is None
    ]
    status: AgreementStatus
    if running:
        status, found = "running", max(running, key=attrgetter("starts_on"))
    elif coming:
        status, found = "coming", min(coming, key=attrgetter("starts_on"))
    elif partner.agreements:
        status, found = "ended", max(partner.agreements, key=attrgetter("starts_on"))
    else:
        return _Agreement("none")
    lacked = lacking(
        partner.checks, found.agreed_on, version_on(versions, found.agreed_on).admission
    )
    return _Agreement(
        status,
        found.agreement_id,
        found.agreed_on,
        found.starts_on,
        min(found.ends_on, found.ended_on - _ONE_DAY) if found.ended_on else found.ends_on,
        found.approved_by,
        " ".join(lacked),
    )


def _leads(book: Book, as_of: date) -> dict[str, list[_Lead]]:
    """Return the leads up to a date by partner."""
    found = defaultdict[str, list[_Lead]](list)
    for referral_id, (prospect_id, referral) in book.referrals.items():
        if referral.via == VIA_PARTNER and referral.introduced_on <= as_of:
            converted = (
                stood.converted_on
                for stood in standing(book, prospect_id, as_of)
                if stood.referral_id == referral_id
            )
            lead = _Lead(prospect_id, referral.introduced_on, next(converted, None))
            found[referral.referrer_id].append(lead)
    return dict(found)


class _Brought(NamedTuple):
    leads: int
    unagreed: int
    converted: int
    conversion_ppm: int | None
    days_p50: int | None
    days_p90: int | None


def _brought(partner: Partner, leads: Sequence[_Lead]) -> _Brought:
    days = [(lead.converted_on - lead.introduced_on).days for lead in leads if lead.converted_on]
    unagreed = sum(
        not any(_covers(agreement, lead.introduced_on) for agreement in partner.agreements)
        for lead in leads
    )
    twice = 2 * len(leads)
    return _Brought(
        leads=len(leads),
        unagreed=unagreed,
        converted=len(days),
        conversion_ppm=(2 * len(days) * ONE + len(leads)) // twice if leads else None,
        days_p50=nearest_rank(days, 50),
        days_p90=nearest_rank(days, 90),
    )


class _Quality(NamedTuple):
    drawn: Minor
    deposits: Minor
    commitments: int
    commitments_missed: int
    windows_breached: int
    loans: int
    loans_late: int
    late_outstanding: Minor


def _quality(book: Book, leads: Iterable[_Lead], as_of: date, currency: str) -> _Quality:
    converted = [lead for lead in leads if lead.converted_on is not None]
    loans = [
        loan
        for lead in converted
        for loan in (book.loans[id_][1] for id_ in book.loans_of.get(lead.prospect_id, ()))
        if lead.introduced_on <= loan.approved_on <= as_of
    ]
    breached = [
        sum(window.status == "breached" for window in begun(book, id_, as_of))
        for lead in converted
        for id_ in book.commitments_of.get(lead.prospect_id, ())
        if lead.introduced_on <= book.commitments[id_][1].agreed_on <= as_of
    ]
    late = [loan for loan in loans if _late(loan, as_of)]
    return _Quality(
        drawn=sum(drawn(loan, as_of) for loan in loans if loan.currency == currency),
        deposits=sum(
            book.deposit(account_id, as_of)
            for lead in converted
            for account_id in book.accounts_in(lead.prospect_id, currency)
        ),
        commitments=len(breached),
        commitments_missed=sum(count > 0 for count in breached),
        windows_breached=sum(breached),
        loans=len(loans),
        loans_late=len(late),
        late_outstanding=sum(
            outstanding(loan, as_of) for loan in late if loan.currency == currency
        ),
    )


def _late(loan: Loan, as_of: date) -> bool:
    """Tell whether anything is owed after the day on which all was due."""
    due_on = matures_on(loan, as_of)
    return due_on is not None and due_on < as_of and outstanding(loan, as_of) > 0
