"""What a decision may look at: the port through which the shell shows it the ledger.

The shell records every stream that it loaded as the decision's read set, so a rule looks only at
what it needs, and at the cheapest thing that answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from datetime import date

    from domain.account import Account
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

Standing: TypeAlias = Literal["unknown", "known", "forgotten"]


class World(Protocol):
    """The ledger as one decision sees it. A state is None where its stream is empty.

    Personal fields of a state are plain text wherever the shell could open them.
    """

    def standing(self, customer_id: str) -> Standing:
        """Return whether the customer is known. It only moves forward: no read set needed."""
        ...

    def relationship(self, customer_id: str) -> Relationship | None:
        """Return the state of the stream `relationship-<customer_id>`."""
        ...

    def contact(self, contact_id: str) -> Contact | None:
        """Return the state of the stream `contact-<contact_id>`."""
        ...

    def loan(self, loan_id: str) -> Loan | None:
        """Return the state of the stream `loan-<loan_id>`."""
        ...

    def guarantee(self, guarantee_id: str) -> Guarantee | None:
        """Return the state of the stream `guarantee-<guarantee_id>`."""
        ...

    def account(self, account_id: str) -> Account | None:
        """Return the state of the stream `account-<account_id>`."""
        ...

    def commitment(self, commitment_id: str) -> Commitment | None:
        """Return the state of the stream `commitment-<commitment_id>`."""
        ...

    def deposit_hold(self, hold_id: str) -> Hold | None:
        """Return the state of the stream `hold-<hold_id>`."""
        ...

    def finding(self, finding_id: str) -> Finding | None:
        """Return the state of the stream `finding-<finding_id>`."""
        ...

    def partner(self, customer_id: str) -> Partner | None:
        """Return the state of the stream `partner-<customer_id>`."""
        ...

    def prospect(self, customer_id: str) -> Prospect | None:
        """Return the state of the stream `prospect-<customer_id>`: all their referrals."""
        ...

    def rewards(self, customer_id: str) -> Rewards | None:
        """Return the state of the stream `rewards-<customer_id>`: all for bringing this one."""
        ...

    def claimed(self, key: str) -> bool:
        """Return whether a claim holds the key, such as `balance:A01539:1993-01-03`."""
        ...

    def loan_of_draw(self, draw_id: str) -> str | None:
        """Return the loan under which `draw:<draw_id>` was recorded."""
        ...

    def loan_of_repayment(self, repayment_id: str) -> str | None:
        """Return the loan to which `repayment:<repayment_id>` was recorded."""
        ...

    def prospect_of_referral(self, referral_id: str) -> str | None:
        """Return the prospect for whom `referral:<referral_id>` was recorded."""
        ...

    def prospect_of_reward(self, reward_id: str) -> str | None:
        """Return the prospect for whom `reward:<reward_id>` was accrued."""
        ...

    def first_business(self, customer_id: str) -> tuple[date, ...]:
        """Return the day the customer's first account ever was opened, and the first draw's.

        Only those that there are; a reversed draw was a draw. Asked only where a referral ended.
        """
        ...
