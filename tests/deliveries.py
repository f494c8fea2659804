"""Events as a projector gets them: numbered, packed, dealt to shards; and their source."""

from __future__ import annotations

import random
from bisect import bisect_right
from datetime import date, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING
from zlib import crc32

from consumers.event_store import StoredRecord
from consumers.source import Delivery, Progress, ShardBatch
from domain.account import AccountOpened, BalanceCorrected, BalanceObserved
from domain.catalogue import BY_CLASS, occurred_on, stream_of
from domain.contact import ContactCorrected, ContactRecorded
from domain.guarantee import GuaranteeGiven, GuaranteeReleased
from domain.loan import DrawReversed, LoanApproved, LoanDrawn, LoanRepaid
from domain.referral import ReferralDeclined, ReferralIntroduced
from domain.relationship import ManagerAssigned, RelationshipOpened
from domain.telling import told
from infra.codec import canonical, decode, pack_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from domain.catalogue import Event
    from domain.record import Recorded

DAY_ONE = date(1994, 1, 31)
NOW = 1_700_000_000_000_000


def stored(position: int, event: Event) -> StoredRecord:
    """Return the record of an event; personal fields are a fixed box."""
    event_type = BY_CLASS[type(event)]
    uuid = f"00000000-0000-4000-8000-{position:012}"
    return StoredRecord(
        position=position,
        id=uuid,
        type=event_type.name,
        version=event_type.version,
        stream=stream_of(event),
        stream_version=1,
        customer_id=event.customer_id,
        occurred_on=occurred_on(event).isoformat(),
        occurred_at=None,
        recorded_at=NOW + position,
        actor="RM-1",
        source="api",
        correlation_id=uuid,
        causation_id=None,
        data=pack_data(event, lambda _field, _plaintext: bytes(28)),
    )


def recorded(event: Event, position: int = 1) -> Recorded:
    """Return an event as a fold gets it."""
    return decode(canonical(stored(position, event)))


def delivery(position: int, event: Event) -> Delivery:
    """Return an event as a source delivers it."""
    return Delivery(position, event.customer_id, canonical(stored(position, event)))


def log_of(events: Iterable[Event]) -> list[Delivery]:
    """Return events as a log that begins at position 1."""
    return [delivery(position, event) for position, event in enumerate(events, start=1)]


def unknown(position: int, customer_id: str) -> Delivery:
    """Return an event of a type that only a later program knows: `loan-drawn` misspelt."""
    event = LoanDrawn(
        customer_id=customer_id,
        loan_id="L",
        draw_id="D",
        drawn_on=DAY_ONE,
        amount=1,
        currency="CZK",
    )
    value = delivery(position, event).value.replace(b"loan-drawn", b"loan-dream")
    return Delivery(position, customer_id, value)


def story(seed: int, customers: int = 5, steps: int = 100) -> Iterator[Event]:
    """Yield a plausible history: whatever the seed, each event can be applied in its turn."""
    chance = random.Random(seed)  # noqa: S311 - a reproducible story, not a secret
    for number in range(customers):
        yield from _arrival(f"C{number}")
    for step in range(steps):
        customer = f"C{chance.randrange(customers)}"
        yield from _step(chance, customer, step)
    for number in range(customers):
        yield from _guaranteed(f"C{number}")


def _arrival(customer: str) -> Iterator[Event]:
    yield RelationshipOpened(
        customer_id=customer,
        name=f"Client {customer}",
        kind="person",
        segment="retail",
        branch="D1",
        manager="RM-1",
        opened_on=DAY_ONE,
    )
    yield AccountOpened(
        customer_id=customer,
        account_id=f"A-{customer}",
        kind="current",
        currency="CZK",
        opened_on=DAY_ONE,
    )
    yield LoanApproved(
        customer_id=customer,
        loan_id=f"L-{customer}",
        approved_on=DAY_ONE,
        principal=1_000_00,
        currency="CZK",
        term_months=12,
        annual_rate="0.05",
        repayment="bullet",
        purpose="stock",
    )


def _guaranteed(customer: str) -> Iterator[Event]:
    given = GuaranteeGiven(
        customer_id=customer,
        guarantee_id=f"G-{customer}",
        loan_id=f"L-{customer}",
        guarantor_id="C0",
        amount=1_000_00,
        currency="CZK",
        given_on=DAY_ONE,
    )
    yield given
    yield told(GuaranteeReleased, given, released_on=DAY_ONE)


def _step(chance: random.Random, customer: str, step: int) -> Iterator[Event]:
    on = DAY_ONE + timedelta(days=step // 3)
    amount = chance.randrange(-100, 10_000)
    account, loan, currency = f"A-{customer}", f"L-{customer}", "CZK"
    match chance.randrange(6):
        case 0:
            yield ManagerAssigned(
                customer_id=customer, manager=f"RM-{amount}", role="owner", assigned_on=on
            )
        case 1:
            draw = {"customer_id": customer, "loan_id": loan, "draw_id": f"D{step}"}
            yield LoanDrawn(**draw, drawn_on=on, amount=amount, currency=currency)
            if amount % 2:
                yield DrawReversed(**draw, reversed_on=on, amount=amount, currency=currency)
        case 2:
            yield LoanRepaid(
                customer_id=customer,
                loan_id=loan,
                repayment_id=f"P{step}",
                paid_on=on,
                principal=amount,
                interest=1,
                currency=currency,
            )
        case 3:
            yield _contact(ContactRecorded, customer, step, on, "visit")
            yield _contact(ContactCorrected, customer, step, on, "phone")
        case 4:
            referral = {"customer_id": customer, "referral_id": f"R{step}"}
            yield ReferralIntroduced(
                **referral, referrer_id="C0", introduced_on=on, via="customer", by="x", branch="D1"
            )
            yield ReferralDeclined(**referral, declined_on=on, reason="no")
        case _:
            for cls in (BalanceObserved, BalanceCorrected):
                yield cls(
                    customer_id=customer,
                    account_id=account,
                    business_date=on,
                    ledger_balance=amount,
                    currency=currency,
                )
                amount += 1


def _contact(
    cls: type[ContactRecorded | ContactCorrected], customer: str, step: int, on: date, channel: str
) -> Event:
    return cls(
        customer_id=customer,
        contact_id=f"K{step}",
        happened_at=NOW + step,
        happened_on=on,
        channel=channel,  # type: ignore[arg-type]  # a test's own word
        direction="outbound",
        purpose="review",
        outcome="fine",
        duration_seconds=60,
        by="RM-1",
        follow_up_on=None,
        note="secret",
    )


class ListedSource:
    """A source over a list: shard = CRC of the customer. `cuts` sets the batches' sizes.

    What lies above `complete_through` is not there yet. `again` records are delivered twice.
    """

    def __init__(
        self,
        log: Sequence[Delivery],
        shards: int = 1,
        cuts: Sequence[int] = (5_000,),
        again: int = 0,
    ) -> None:
        self.log = list(log)
        self.complete_through = self.log[-1].position if self.log else 0
        self.shards = shards
        self.mine = frozenset(range(shards))
        self.again = again
        self._cuts = list(cuts)
        self._at: dict[int, int] = {}

    def assigned(self) -> frozenset[int]:
        return self.mine

    def resume(self, shard: int, progress: Progress) -> None:
        self._at[shard] = progress.through

    def poll(self, timeout_seconds: float) -> Sequence[ShardBatch]:
        del timeout_seconds
        batches = (self._batch(shard) for shard in sorted(self.mine & self._at.keys()))
        return [batch for batch in batches if batch]

    def head(self) -> int:
        return self.complete_through

    def close(self) -> None:
        pass

    def _batch(self, shard: int) -> ShardBatch | None:
        after = self._at[shard]
        if after >= self.complete_through:
            return None
        size = self._cuts[0]
        self._cuts.append(self._cuts.pop(0))
        begin = bisect_right(self.log, after, key=attrgetter("position"))
        end = bisect_right(self.log, self.complete_through, key=attrgetter("position"))
        through = self.log[min(begin + size, end) - 1].position
        sent = self.log[max(0, begin - self.again) : min(begin + size, end)]
        self._at[shard] = through
        own = [d for d in sent if crc32(d.customer_id.encode()) % self.shards == shard]
        return ShardBatch(shard, own, Progress(through))
