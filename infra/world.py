"""What the decisions of one batch see: the ledger, and over it what the batch itself decided.

Claims and streams are fetched in bulk beforehand, and one by one where a rule asks for more. Of
what was looked at, the streams that can change make the read set of the append; a stream whose
first event claims a key is known to be empty while the key is free, and needs no loading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consumers.event_store import Held
from domain.account import Account, AccountOpened
from domain.catalogue import BY_CLASS, BY_NAME
from domain.deciding import evolve_stream
from domain.loan import LoanDrawn, LoanRepaid
from infra.codec import decode_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from consumers.event_store import EventStore, StoredRecord
    from domain.catalogue import Event
    from domain.commitment import Commitment
    from domain.contact import Contact
    from domain.finding import Finding
    from domain.guarantee import Guarantee
    from domain.hold import Hold
    from domain.loan import Loan
    from domain.partner import Partner
    from domain.referral import Prospect
    from domain.relationship import Relationship
    from domain.reward import Rewards
    from domain.world import Standing
    from infra.customer_key import CustomerKey
    from infra.keyring import Keyring

ACCOUNTS_CACHED_MAX = 200_000  # accounts never change: about 200 bytes each

# Streams whose first event claims `<category>:<id>`.
_CLAIMED = frozenset(
    {"relationship", "contact", "loan", "guarantee", "account", "hold", "commitment", "finding"}
)
_LOADED = _CLAIMED | {"partner", "prospect", "rewards"}
_BUSINESS = frozenset({"account-opened", "loan-drawn"})


@dataclass(slots=True)
class _Stream:
    """A stream's state after the batch so far, and its version in the store."""

    state: Any = None
    stored_version: int = 0
    position: int = 0  # of its last record; below 0 within the batch


class LedgerWorld:
    """The `World` of one attempt at a batch.

    A position below 0 is a record of the batch itself: -1 the first, -2 the second …
    """

    def __init__(self, store: EventStore, keyring: Keyring, accounts: dict[str, Account]) -> None:
        self._store = store
        self._keyring = keyring
        self._accounts = accounts
        self._claims: dict[str, Held | None] = {}
        self._owners: set[str] = set()
        self._streams: dict[str, _Stream] = {}
        self._events: list[Event] = []
        self._looked_at: set[str] = set()
        self._read: set[str] = set()

    # What decisions ask.

    def standing(self, customer_id: str) -> Standing:
        """Return whether the customer is known: claims tell, or what they own."""
        if self.claim(f"forgotten:{customer_id}") is not None:
            return "forgotten"
        known = customer_id in self._owners or self.claimed(f"relationship:{customer_id}")
        return "known" if known else "unknown"

    def relationship(self, customer_id: str) -> Relationship | None:
        """Return the state of the stream `relationship-<customer_id>`."""
        state: Relationship | None = self._state("relationship", customer_id)
        return state

    def contact(self, contact_id: str) -> Contact | None:
        """Return the state of the stream `contact-<contact_id>`."""
        state: Contact | None = self._state("contact", contact_id)
        return state

    def loan(self, loan_id: str) -> Loan | None:
        """Return the state of the stream `loan-<loan_id>`."""
        state: Loan | None = self._state("loan", loan_id)
        return state

    def guarantee(self, guarantee_id: str) -> Guarantee | None:
        """Return the state of the stream `guarantee-<guarantee_id>`."""
        state: Guarantee | None = self._state("guarantee", guarantee_id)
        return state

    def account(self, account_id: str) -> Account | None:
        """Return the account; it never changes, so it is kept and no read set names it."""
        account: Account | None = self._accounts.get(account_id)
        return self._state("account", account_id) if account is None else account

    def commitment(self, commitment_id: str) -> Commitment | None:
        """Return the state of the stream `commitment-<commitment_id>`."""
        state: Commitment | None = self._state("commitment", commitment_id)
        return state

    def deposit_hold(self, hold_id: str) -> Hold | None:
        """Return the state of the stream `hold-<hold_id>`."""
        state: Hold | None = self._state("hold", hold_id)
        return state

    def finding(self, finding_id: str) -> Finding | None:
        """Return the state of the stream `finding-<finding_id>`."""
        state: Finding | None = self._state("finding", finding_id)
        return state

    def partner(self, customer_id: str) -> Partner | None:
        """Return the state of the stream `partner-<customer_id>`."""
        state: Partner | None = self._state("partner", customer_id)
        return state

    def prospect(self, customer_id: str) -> Prospect | None:
        """Return the state of the stream `prospect-<customer_id>`: all their referrals."""
        state: Prospect | None = self._state("prospect", customer_id)
        return state

    def rewards(self, customer_id: str) -> Rewards | None:
        """Return the state of the stream `rewards-<customer_id>`: all for bringing this one."""
        state: Rewards | None = self._state("rewards", customer_id)
        return state

    def claimed(self, key: str) -> bool:
        """Return whether a claim holds the key."""
        return self.claim(key) is not None

    def loan_of_draw(self, draw_id: str) -> str | None:
        """Return the loan under which `draw:<draw_id>` was recorded."""
        event = self._event_of(f"draw:{draw_id}")
        return event.loan_id if isinstance(event, LoanDrawn) else None

    def loan_of_repayment(self, repayment_id: str) -> str | None:
        """Return the loan to which `repayment:<repayment_id>` was recorded."""
        event = self._event_of(f"repayment:{repayment_id}")
        return event.loan_id if isinstance(event, LoanRepaid) else None

    def prospect_of_referral(self, referral_id: str) -> str | None:
        """Return the prospect for whom `referral:<referral_id>` was recorded."""
        event = self._event_of(f"referral:{referral_id}")
        return None if event is None else event.customer_id

    def prospect_of_reward(self, reward_id: str) -> str | None:
        """Return the prospect for whom `reward:<reward_id>` was accrued."""
        event = self._event_of(f"reward:{reward_id}")
        return None if event is None else event.customer_id

    def first_business(self, customer_id: str) -> tuple[date, ...]:
        """Return the day the customer's first account was opened, and the first draw's."""
        stored = self._store.read_customers([customer_id])
        types = (r for r in stored if r.type in _BUSINESS)
        events = [*(decode_record(record).event for record in types), *self._events]
        own = [event for event in events if event.customer_id == customer_id]
        opened = [event.opened_on for event in own if isinstance(event, AccountOpened)]
        drawn = [event.drawn_on for event in own if isinstance(event, LoanDrawn)]
        return tuple(min(days) for days in (opened, drawn) if days)

    # What the shell does around them.

    def claim(self, key: str) -> Held | None:
        """Return what is held under a key."""
        if key not in self._claims:
            self.fetch([key])
        return self._claims[key]

    def fetch(self, keys: Iterable[str]) -> None:
        """Look the claims up that were not looked up yet."""
        missing = [key for key in dict.fromkeys(keys) if key not in self._claims]
        if missing:
            held = self._store.held(missing)
            self._claims.update((key, held.get(key)) for key in missing)

    def load(self, streams: Iterable[str]) -> None:
        """Load the streams that are not loaded yet and may hold something."""
        wanted = [
            stream
            for stream in dict.fromkeys(streams)
            if self.is_unseen(stream) and self._may_exist(stream)
        ]
        if not wanted:
            return
        found = self._store.read_streams(wanted)
        keys = self._keyring.keys_for(_customers_with_secrets(found), create=False)
        for stream, records in found.items():
            state = evolve_stream(stream, [_decoded(record, keys) for record in records])
            self._streams[stream] = _Stream(state, *_end(records))
            if isinstance(state, Account):
                self._keep(stream.removeprefix("account-"), state)

    def is_unseen(self, stream: str) -> bool:
        """Return whether the stream was neither loaded here nor is an account kept."""
        return stream not in self._streams and stream[8:] not in self._accounts

    def guards(self, stream: str) -> Iterator[str]:
        """Yield the claims that tell whether a stream or a customer is there."""
        category, _, stream_id = stream.partition("-")
        if category == "relationship":
            yield f"forgotten:{stream_id}"
        if category in _CLAIMED and not (category == "account" and stream_id in self._accounts):
            yield f"{category}:{stream_id}"

    def fetch_owners(self, streams: Iterable[str]) -> None:
        """Fetch the standing of those who own the loans, accounts … that were loaded."""
        for stream in streams:
            account = self._accounts.get(stream.removeprefix("account-"))
            state = account or (seen.state if (seen := self._streams.get(stream)) else None)
            owner = getattr(state, "customer_id", None)
            if owner is not None:
                self._owners.add(owner)
        self.fetch(f"forgotten:{owner}" for owner in self._owners)

    def begin(self) -> None:
        """Begin a decision: nothing was looked at yet."""
        self._looked_at.clear()

    def latest_looked_at(self) -> int:
        """Return the position of the latest record the decision looked at."""
        positions = [self._streams[stream].position for stream in self._looked_at]
        return min((p for p in positions if p < 0), default=max(positions, default=0))

    def accept(self, event: Event, stream: str) -> None:
        """Take an event over what was seen."""
        if self._looked_at:
            self._read |= self._looked_at
        self._events.append(event)
        if BY_CLASS[type(event)].stream[0] in _LOADED:
            seen = self._streams.setdefault(stream, _Stream())
            seen.state = evolve_stream(stream, (event,), seen.state)
            seen.position = -len(self._events)

    def hold(self, key: str, content: bytes) -> bytes | None:
        """Claim a key for the last event accepted; return the content it replaces."""
        before = self.claim(key)
        self._claims[key] = Held(-len(self._events), content)
        return None if before is None else before.content

    @property
    def reads(self) -> Mapping[str, int]:
        """The version in the store of each stream an accepted decision looked at or writes to.

        A stream that was not loaded is either new, then its claim is checked, or never loaded.
        """
        return {stream: self._streams[stream].stored_version for stream in self._read}

    def _state(self, category: str, stream_id: str) -> Any:  # noqa: ANN401 - by category
        stream = f"{category}-{stream_id}"
        self.load([stream])
        seen = self._streams.get(stream)
        if seen is None:
            return None
        if category != "account":
            self._looked_at.add(stream)
        return seen.state

    def _may_exist(self, stream: str) -> bool:
        category, _, stream_id = stream.partition("-")
        return category not in _CLAIMED or self.claimed(f"{category}:{stream_id}")

    def _event_of(self, key: str) -> Event | None:
        held = self.claim(key)
        if held is None:
            return None
        if held.position < 0:
            return self._events[-held.position - 1]
        [record] = self._store.read(held.position - 1, 1)
        return decode_record(record).event

    def _keep(self, account_id: str, account: Account) -> None:
        if len(self._accounts) >= ACCOUNTS_CACHED_MAX:
            self._accounts.clear()
        self._accounts[account_id] = account


def _customers_with_secrets(found: Mapping[str, Sequence[StoredRecord]]) -> set[str]:
    return {
        record.customer_id
        for records in found.values()
        for record in records
        if record.type in BY_NAME and BY_NAME[record.type].personal
    }


def _decoded(record: StoredRecord, keys: Mapping[str, CustomerKey]) -> Event:
    key = keys.get(record.customer_id)
    unseal = None if key is None or key.destroyed else key.unseal
    return decode_record(record, unseal).event


def _end(records: Sequence[StoredRecord]) -> tuple[int, int]:
    return (records[-1].stream_version, records[-1].position) if records else (0, 0)
