"""The write side: what is recorded, what is found again, what is refused."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, TypeVar

import pytest

from domain.account import BalanceCorrected, BalanceObserved
from domain.catalogue import BY_CLASS
from domain.contact import ContactCorrected
from domain.deciding import natural_key
from domain.loan import DrawReversed
from domain.referral import ReferralDeclined, ReferralIntroduced
from domain.relationship import ManagerAssigned, ProfileChanged, RelationshipOpened
from domain.values import Sealed
from infra import attempt
from infra import ledger as ledger_module
from infra.keyring import Keyring
from infra.ledger import Ledger, Outcome, Recorded, Refused, Told, Unchanged, new_event_id
from tests.write_side import (
    ACCOUNT,
    BALANCE,
    COMMANDS,
    COMMITMENT,
    CONTACT,
    DRAW,
    FEED,
    LOAN,
    MASTER,
    REFERRAL,
    RELATIONSHIP,
    events,
    ledger_at,
    new_ledger,
    recorded,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


E = TypeVar("E")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with new_ledger(tmp_path) as ledger:
        yield ledger


@pytest.fixture
def open_ledger(ledger: Ledger) -> Ledger:
    """A ledger with a customer, an account and a loan."""
    first = [
        told("open-relationship", RELATIONSHIP),
        told("open-account", ACCOUNT),
        told("approve-loan", LOAN),
    ]
    assert ledger.handle(first) == [Recorded(1), Recorded(2), Recorded(3)]
    return ledger


def only(ledger: Ledger, kind: type[E]) -> list[E]:
    return [event for event in events(ledger) if isinstance(event, kind)]


def code(outcome: Outcome) -> str:
    assert isinstance(outcome, Refused)
    return outcome.error.code


def test_later_commands_of_a_batch_see_earlier_ones(ledger: Ledger) -> None:
    batch = [told(COMMANDS[kind], row) for kind, row in FEED.items()]
    outcomes = ledger.handle(batch)
    assert outcomes == [Recorded(n) for n in range(1, 1 + len(batch))]


def test_a_batch_in_the_wrong_order_is_refused_command_by_command(ledger: Ledger) -> None:
    outcomes = ledger.handle(
        [
            told("record-balance", BALANCE),
            told("open-account", ACCOUNT),
            told("open-relationship", RELATIONSHIP),
            told("open-account", ACCOUNT),
            told("record-balance", BALANCE),
        ]
    )
    assert [code(each) for each in outcomes[:2]] == ["unknown-account", "unknown-customer"]
    assert outcomes[2:] == [Recorded(1), Recorded(2), Recorded(3)]


def test_the_same_row_again_gives_the_first_result(open_ledger: Ledger) -> None:
    rows = [told("record-balance", BALANCE), told("record-balance", BALANCE)]
    assert open_ledger.handle(rows) == [Recorded(4), Unchanged(4)]
    assert open_ledger.handle(rows[:1]) == [Unchanged(4)]
    assert open_ledger.store.position() == 4


def test_the_same_personal_row_again_gives_the_first_result(open_ledger: Ledger) -> None:
    row = told("record-contact", CONTACT, note="met her")
    assert open_ledger.handle([row, row]) == [Recorded(4), Unchanged(4)]
    assert open_ledger.handle([row]) == [Unchanged(4)]
    assert open_ledger.handle([told("open-relationship", RELATIONSHIP)]) == [Unchanged(1)]


def test_another_balance_of_the_day_is_a_correction(open_ledger: Ledger) -> None:
    def at(amount: str) -> Told:
        return told("record-balance", BALANCE, ledger_balance=amount)

    assert open_ledger.handle([at("1.00"), at("2.00")]) == [Recorded(4), Recorded(5)]
    assert open_ledger.handle([at("1.00"), at("1.00")]) == [Recorded(6), Unchanged(6)]
    assert [e.ledger_balance for e in only(open_ledger, BalanceObserved)] == [100]
    assert [e.ledger_balance for e in only(open_ledger, BalanceCorrected)] == [200, 100]


def test_another_contact_under_the_id_is_a_correction(open_ledger: Ledger) -> None:
    open_ledger.handle([told("record-contact", CONTACT)])
    assert open_ledger.handle([told("record-contact", CONTACT, note="more")]) == [Recorded(5)]
    [corrected] = only(open_ledger, ContactCorrected)
    assert corrected.note == "more"


def test_a_changed_relationship_is_a_profile_change_and_an_assignment(ledger: Ledger) -> None:
    ledger.handle(
        [
            told("open-relationship", RELATIONSHIP),
            told("open-account", ACCOUNT),
            told("record-balance", BALANCE, business_date="2024-05-06"),
        ]
    )
    changed = told("open-relationship", RELATIONSHIP, branch="D2", manager="RM-2")
    assert ledger.handle([changed]) == [Recorded(5)]
    assert ledger.handle([changed]) == [Unchanged(5)]
    [profile] = only(ledger, ProfileChanged)
    assert (profile.branch, profile.name) == ("D2", RELATIONSHIP["name"])
    assert profile.changed_on == date(2024, 5, 6), "the business date on which it was told"
    [assigned] = only(ledger, ManagerAssigned)
    assert (assigned.manager, assigned.assigned_on) == ("RM-2", date(2024, 5, 6))


def test_the_business_date_moves_within_a_batch(ledger: Ledger) -> None:
    ledger.handle(
        [
            told("open-relationship", RELATIONSHIP),
            told("open-relationship", RELATIONSHIP, branch="D2"),
            told("open-relationship", RELATIONSHIP, customer_id="C2", opened_on="2024-02-02"),
            told("open-relationship", RELATIONSHIP, branch="D3"),
        ]
    )
    assert [e.changed_on for e in only(ledger, ProfileChanged)] == [
        date(2024, 1, 2),
        date(2024, 2, 2),
    ]


def test_a_business_date_given_by_hand_holds(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        assert ledger.business_date() is None
        ledger.handle([told("open-relationship", RELATIONSHIP)])
        assert ledger.business_date() == date(2024, 1, 2)
    url = f"sqlite:{tmp_path / 'ledger.db'}"
    with ledger_at(url, business_date=date(2024, 6, 1)) as ledger:
        ledger.handle([told("open-relationship", RELATIONSHIP, branch="D2")])
        assert [e.changed_on for e in only(ledger, ProfileChanged)] == [date(2024, 6, 1)]


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("relationships", {"kind": "enterprise"}),
        ("relationships", {"opened_on": "2024-01-03"}),
        ("accounts", {"kind": "term"}),
        ("loans", {"principal": "2000.00"}),
        ("commitments", {"requirement_value": "21"}),
        ("draws", {"amount": "2.00"}),
        ("repayments", {"interest": "9.99"}),
        ("referrals", {"branch": "D9"}),
    ],
)
def test_other_content_under_an_id_is_a_conflict(
    ledger: Ledger, kind: str, changes: dict[str, str]
) -> None:
    ledger.handle([told(COMMANDS[each], row) for each, row in FEED.items()])
    position = ledger.store.position()
    [outcome] = ledger.handle([told(COMMANDS[kind], {**FEED[kind], **changes})])
    assert code(outcome) == "conflict"
    assert ledger.handle([told(COMMANDS[kind], FEED[kind])])[0] != outcome
    assert ledger.store.position() == position


def test_a_referral_told_again_with_its_outcome_records_the_outcome(open_ledger: Ledger) -> None:
    lapsed = {"outcome": "declined", "outcome_on": "2024-03-01"}
    assert open_ledger.handle([told("introduce-referral", REFERRAL)]) == [Recorded(4)]
    again = told("introduce-referral", {**REFERRAL, **lapsed})
    assert open_ledger.handle([again, again]) == [Recorded(5), Unchanged(5)]
    assert len(only(open_ledger, ReferralIntroduced)) == 1
    assert len(only(open_ledger, ReferralDeclined)) == 1


def test_a_command_id_gives_the_first_result_or_a_conflict(open_ledger: Ledger) -> None:
    first = told("settle-loan", {"loan_id": "L1", "settled_on": "2024-09-01"}, "key-1")
    other = told("settle-loan", {"loan_id": "L1", "settled_on": "2024-09-02"}, "key-1")
    assert open_ledger.handle([first, first]) == [Recorded(4), Unchanged(4)]
    assert open_ledger.handle([first]) == [Unchanged(4)]
    [outcome] = open_ledger.handle([other])
    assert code(outcome) == "conflict"


def test_a_refused_command_claims_nothing(ledger: Ledger) -> None:
    row = told("open-account", ACCOUNT, "key-1")
    [outcome] = ledger.handle([row])
    assert code(outcome) == "unknown-customer"
    assert ledger.store.held(["account:A1", "command:key-1"]) == {}
    assert ledger.handle([told("open-relationship", RELATIONSHIP), row])[1] == Recorded(2)


def test_what_changes_nothing_tells_since_when_it_holds(open_ledger: Ledger) -> None:
    same = {"customer_id": "C1", "manager": "RM-1", "role": "owner", "assigned_on": "2024-01-02"}
    assert open_ledger.handle([told("assign-manager", same)]) == [Unchanged(1)]
    assert open_ledger.store.position() == 3


def test_a_draw_is_reversed_once_within_a_batch_or_over_two(open_ledger: Ledger) -> None:
    reverse = {"draw_id": "W1", "reversed_on": "2024-01-09"}
    outcomes = open_ledger.handle([told("draw-loan", DRAW), told("reverse-draw", reverse)])
    assert outcomes == [Recorded(4), Recorded(5)]
    [outcome] = open_ledger.handle([told("reverse-draw", reverse)])
    assert code(outcome) == "already-reversed"
    assert len(only(open_ledger, DrawReversed)) == 1


def test_a_repayment_is_reversed_in_another_batch(open_ledger: Ledger) -> None:
    open_ledger.handle([told("repay-loan", FEED["repayments"])])
    reverse = {"repayment_id": "P1", "reversed_on": "2024-02-09"}
    assert open_ledger.handle([told("reverse-repayment", reverse)]) == [Recorded(5)]


def test_a_lapse_after_the_first_account_frees_no_prospect(open_ledger: Ledger) -> None:
    opened = {**RELATIONSHIP, "customer_id": "C9", "opened_on": "2024-02-10"}
    lapsed = {"outcome": "lapsed", "outcome_on": "2024-03-01"}
    other = {**REFERRAL, "referral_id": "R2", "introduced_on": "2024-04-01"}
    outcomes = open_ledger.handle(
        [
            told("open-relationship", opened),
            told("open-account", ACCOUNT, account_id="A9", customer_id="C9"),
            told("introduce-referral", {**REFERRAL, **lapsed}),
            told("introduce-referral", other),
        ]
    )
    assert outcomes[3] == Recorded(8), "the account was opened before the introduction"
    early = {**ACCOUNT, "account_id": "A8", "customer_id": "C8", "opened_on": "2024-02-20"}
    third = {**REFERRAL, **lapsed, "referral_id": "R3", "prospect_id": "C8"}
    outcomes = open_ledger.handle(
        [
            told("open-relationship", opened, customer_id="C8"),
            told("open-account", early),
            told("introduce-referral", third),
        ]
    )
    [second] = open_ledger.handle(
        [told("introduce-referral", other, referral_id="R4", prospect_id="C8")]
    )
    assert code(second) == "second-referrer"


def test_nothing_is_recorded_about_a_forgotten_customer(open_ledger: Ledger) -> None:
    open_ledger.handle([told("agree-commitment", COMMITMENT), told("record-contact", CONTACT)])
    forget = {"customer_id": "C1", "forgotten_on": "2024-07-01", "reason": "asked for it"}
    batch = [
        told("forget-relationship", forget),
        told("record-balance", BALANCE),
    ]
    outcomes = open_ledger.handle(batch)
    assert outcomes[0] == Recorded(6)
    assert code(outcomes[1]) == "customer-forgotten"
    for kind in FEED:
        [outcome] = open_ledger.handle([told(COMMANDS[kind], _another(kind))])
        assert code(outcome) == "customer-forgotten", kind
    [again] = open_ledger.handle([told("record-contact", CONTACT, "key", outcome="other")])
    assert code(again) == "customer-forgotten"
    assert isinstance(only(open_ledger, RelationshipOpened)[0].name, Sealed)
    assert open_ledger.handle([told("forget-relationship", forget)]) == [Unchanged(6)]


def _another(kind: str) -> dict[str, str]:
    """Return a row's columns under an id that is free, where it has one besides the customer's."""
    if kind in ("relationships", "balances"):
        return {**FEED[kind], **({"business_date": "2024-08-01"} if kind == "balances" else {})}
    return {**FEED[kind], next(iter(FEED[kind])): "another"}


def test_a_key_destroyed_in_the_meantime_refuses_its_customer_alone(open_ledger: Ledger) -> None:
    Keyring(open_ledger.store.database, MASTER).forget("C1")
    with ledger_at(f"sqlite:{open_ledger.store.database.path}") as other_process:  # type: ignore[union-attr]  # it is SQLite
        outcomes = other_process.handle(
            [
                told("record-contact", CONTACT, note="secret"),
                told("open-relationship", RELATIONSHIP, customer_id="C2"),
            ]
        )
    assert code(outcomes[0]) == "customer-forgotten"
    assert outcomes[1] == Recorded(4)


def test_personal_fields_are_stored_sealed(open_ledger: Ledger) -> None:
    [stored] = open_ledger.store.read(0, 1)
    assert RELATIONSHIP["name"].encode() not in stored.data
    [opened] = only(open_ledger, RelationshipOpened)
    assert opened.name == RELATIONSHIP["name"]


def test_a_prospect_has_no_key(open_ledger: Ledger) -> None:
    open_ledger.handle(
        [told("introduce-referral", REFERRAL), told("record-contact", CONTACT, customer_id="C7")]
    )
    keyring = Keyring(open_ledger.store.database, MASTER)
    assert set(keyring.keys_for(["C1", "C7", "C9"], create=False)) == {"C1"}


def test_each_event_says_who_told_it_and_by_which_way(open_ledger: Ledger) -> None:
    open_ledger.handle([told("record-contact", CONTACT, source="feed:contacts:ab:7")])
    last = recorded(open_ledger)[-1]
    assert (last.actor, last.source, last.correlation_id) == (
        "tester",
        "feed:contacts:ab:7",
        "test",
    )
    assert last.occurred_on == date(2024, 3, 1)
    assert last.occurred_at == 1_709_307_000_000_000
    assert last.version == BY_CLASS[type(last.event)].version


def test_event_ids_are_random_uuids() -> None:
    ids = {new_event_id() for _ in range(1_000)}
    assert len(ids) == 1_000
    for event_id in ids:
        assert len(event_id) == 36
        assert event_id[14] == "4"
        assert event_id[19] in "89ab"


def test_a_batch_larger_than_an_append_is_several(
    open_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "BATCH_COMMANDS_MAX", 3)
    monkeypatch.setattr(attempt, "APPEND_BYTES_MAX", 150)
    days = [f"2024-02-{day:02}" for day in range(1, 11)]
    rows = [told("record-balance", BALANCE, business_date=day) for day in days]
    assert open_ledger.handle(rows) == [Recorded(n) for n in range(4, 14)]


def test_an_event_too_large_is_refused_alone(open_ledger: Ledger) -> None:
    items = [f"{number:02}" + "证" * 498 for number in range(50)]
    check = {
        "customer_id": "C1",
        "cross_check_id": "X1",
        "checked_on": "2024-02-01",
        "inference": "owns the shop",
        "items": "\n".join(items),
        "by": "RM-1",
    }
    outcomes = open_ledger.handle(
        [told("record-cross-check", check), told("record-balance", BALANCE)]
    )
    assert code(outcomes[0]) == "event-too-large"
    assert outcomes[1] == Recorded(4)


def test_an_earlier_row_of_a_source_told_again_does_not_undo_a_later_one(
    open_ledger: Ledger,
) -> None:
    """As after a kill, when a file that holds a day twice is gone through again."""

    def row(number: int, amount: str) -> Told:
        source = f"feed:balances:ab:{number}"
        return told("record-balance", BALANCE, None, source, 3, ledger_balance=amount)

    file = [row(1, "1.00"), row(2, "2.00"), row(3, "1.00"), row(4, "4.00")]
    open_ledger.handle(file)
    position = open_ledger.store.position()
    assert all(isinstance(outcome, Unchanged) for outcome in open_ledger.handle(file))
    assert open_ledger.store.position() == position
    other_file = told("record-balance", BALANCE, None, "feed:balances:cd:1", 3)
    assert open_ledger.handle([other_file]) == [Recorded(position + 1)]


def test_every_claim_is_the_natural_key_of_its_row(open_ledger: Ledger) -> None:
    for kind, row in FEED.items():
        one = told(COMMANDS[kind], row)
        open_ledger.handle([one])
        key = natural_key(one.command)
        assert key is not None
        assert key in open_ledger.store.held([key])
