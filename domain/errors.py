"""Rules a command can break. One class per rule; `code` is the public, stable name.

A refusal names the field, the value and what to do. Bugs are assertions, never refusals.
"""

from __future__ import annotations

from typing import ClassVar


class RefusedError(Exception):
    """A command was refused: nothing was recorded and nothing claimed."""

    code: ClassVar[str]
    rule: ClassVar[str]
    remedy: ClassVar[str]

    def __init__(self, field: str, value: object, detail: str = "") -> None:
        self.field = field
        self.value = value
        self.detail = detail
        super().__init__(str(self))

    def __str__(self) -> str:
        """Return `field 'value': the rule (detail). What to do.`."""
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.field} {self.value!r}: {self.rule}{detail}. {self.remedy}."


class UnknownCustomerError(RefusedError):
    """Whose relationship was never opened."""

    code = "unknown-customer"
    rule = "no relationship with this id is in the ledger"
    remedy = "Open the relationship first, or correct the id"


class UnknownAccountError(RefusedError):
    """Which was never opened."""

    code = "unknown-account"
    rule = "no account with this id is in the ledger"
    remedy = "Open the account first, or correct the id"


class UnknownLoanError(RefusedError):
    """Which was never approved."""

    code = "unknown-loan"
    rule = "no loan with this id is in the ledger"
    remedy = "Record the loan's approval first, or correct the id"


class UnknownDrawError(RefusedError):
    """Which was never recorded."""

    code = "unknown-draw"
    rule = "no draw with this id is in the ledger"
    remedy = "Record the draw first, or correct the id"


class UnknownRepaymentError(RefusedError):
    """Which was never recorded."""

    code = "unknown-repayment"
    rule = "no repayment with this id is in the ledger"
    remedy = "Record the repayment first, or correct the id"


class UnknownCommitmentError(RefusedError):
    """Which was never agreed."""

    code = "unknown-commitment"
    rule = "no commitment with this id is in the ledger"
    remedy = "Record the agreement first, or correct the id"


class UnknownReferralError(RefusedError):
    """Which was never introduced."""

    code = "unknown-referral"
    rule = "no referral with this id is in the ledger"
    remedy = "Introduce the referral first, or correct the id"


class UnknownProspectError(RefusedError):
    """Whom nobody has brought."""

    code = "unknown-prospect"
    rule = "nobody with this id was referred"
    remedy = "Introduce the referral first, or correct the id"


class ProspectIsCustomerError(RefusedError):
    """A customer's own data is their profile."""

    code = "prospect-is-customer"
    rule = "the prospect has a relationship by now"
    remedy = "Change the profile instead"


class NothingDescribedError(RefusedError):
    """A description says something."""

    code = "nothing-described"
    rule = "neither a name nor a phone was told"
    remedy = "Tell one of them"


class UnknownGuaranteeError(RefusedError):
    """Which was never given."""

    code = "unknown-guarantee"
    rule = "no guarantee with this id is in the ledger"
    remedy = "Record that it was given first, or correct the id"


class UnknownAgreementError(RefusedError):
    """Which was never made with this partner."""

    code = "unknown-agreement"
    rule = "no agreement with this id was made with this partner"
    remedy = "Record the agreement first, or correct one of the ids"


class UnknownHoldError(RefusedError):
    """Which was never placed."""

    code = "unknown-hold"
    rule = "no hold with this id is in the ledger"
    remedy = "Record that it was placed first, or correct the id"


class FindingIdReservedError(RefusedError):
    """Told by hand under the id of what a pack finds, it would keep the pack from raising that."""

    code = "finding-id-reserved"
    rule = "a UUID of version 5 is the id of what a pack finds when it judges"
    remedy = "Give an id of your own in any other form"


class UnknownFindingError(RefusedError):
    """Which was never raised."""

    code = "unknown-finding"
    rule = "no finding with this id is in the ledger"
    remedy = "Look the id up with show findings"


class UnknownRewardError(RefusedError):
    """Which was never accrued."""

    code = "unknown-reward"
    rule = "no reward with this id is in the ledger"
    remedy = "Look the id up with show rewards"


class UnknownHandoverError(RefusedError):
    """Which was never proposed for this customer."""

    code = "unknown-handover"
    rule = "no handover with this id was proposed for this customer"
    remedy = "Propose the handover first, or correct the id"


class CustomerForgottenError(RefusedError):
    """Whose key is destroyed."""

    code = "customer-forgotten"
    rule = "the customer was forgotten, and nothing about them is recorded any more"
    remedy = "Leave out what is told of them"


class KeyConflictError(RefusedError):
    """The id stands for something else, and this kind of row takes no correction."""

    code = "conflict"
    rule = "the id is recorded with other content, which a row like this cannot change"
    remedy = "Give a new id, or the command that changes or takes back what it stands for, if any"


class ReservedIdError(RefusedError):
    """The partition key of the ledger's own events."""

    code = "reserved-id"
    rule = "this id is kept for the ledger's own events"
    remedy = "Give the customer another id"


class AnotherCurrencyError(RefusedError):
    """Amounts of different currencies cannot be added; no exchange rate is guessed."""

    code = "another-currency"
    rule = "the currency is not that of what the amount belongs to"
    remedy = "Use the currency of the account, loan or reward"


class MalformedCurrencyError(RefusedError):
    """Three capital letters, ISO 4217."""

    code = "malformed-currency"
    rule = "a currency is three capital letters (ISO 4217)"
    remedy = "Give a code such as CNY"


class MalformedRateError(RefusedError):
    """A rate is kept as it was written, in one spelling."""

    code = "malformed-rate"
    rule = "a rate is a plain decimal, at least 0, without trailing zeros"
    remedy = "Give a rate such as 4.35"


class NotPositiveError(RefusedError):
    """An amount that moved, or a number of months."""

    code = "not-positive"
    rule = "the number has to be above 0"
    remedy = "Correct the number; what is taken back has a command of its own"


class NegativeError(RefusedError):
    """A number of days or seconds, an interest, a held sum."""

    code = "negative"
    rule = "the number cannot be below 0"
    remedy = "Correct the sign"


class TooLargeError(RefusedError):
    """Sums over years of days and many accounts must fit in 64 bits."""

    code = "too-large"
    rule = "the number is larger than the ledger can add up"
    remedy = "Check the unit: amounts are in the currency, not in its minor units"


class PartOverWholeError(RefusedError):
    """A share is at most the whole."""

    code = "part-over-whole"
    rule = "the part is larger than the whole"
    remedy = "Correct one of the two amounts"


class NothingRepaidError(RefusedError):
    """A repayment moves principal, interest, or both."""

    code = "nothing-repaid"
    rule = "principal and interest cannot both be 0"
    remedy = "Give the principal or the interest that was paid"


class PercentageOutOfRangeError(RefusedError):
    """A percentage far off is a slip of the unit."""

    code = "percentage-out-of-range"
    rule = "the percentage is out of its range"
    remedy = "Give percent as percent and basis points as basis points"


class DatesOutOfOrderError(RefusedError):
    """What ends or follows cannot lie before what it ends or follows."""

    code = "dates-out-of-order"
    rule = "the date lies on the wrong side of another one"
    remedy = "Correct one of the two dates"


class SeasonalProfileError(RefusedError):
    """One percentage a calendar month."""

    code = "seasonal-profile-not-twelve"
    rule = "a seasonal profile has twelve percentages, January first"
    remedy = "Give all twelve, or none"


class AccountListedTwiceError(RefusedError):
    """One balance counts once a day."""

    code = "account-listed-twice"
    rule = "the account is listed twice for the same day"
    remedy = "List it once, or with dates that do not overlap"


class TermWithoutEffectError(RefusedError):
    """Terms that change no test are a slip of the pen."""

    code = "term-without-effect"
    rule = "this part of the terms would change nothing"
    remedy = "Leave it out, or correct the terms that it rests on"


class LoanOfAnotherCustomerError(RefusedError):
    """A commitment is given for the customer's own loan."""

    code = "loan-of-another-customer"
    rule = "the loan belongs to another customer"
    remedy = "Name a loan of this customer, or the loan's customer"


class WaiverByRequesterError(RefusedError):
    """Four eyes."""

    code = "waiver-by-requester"
    rule = "who asks for a waiver cannot approve it"
    remedy = "Have somebody else approve it"


class JustifiedAloneError(RefusedError):
    """Four eyes."""

    code = "justified-alone"
    rule = "who justifies a finding, or has to deal with it, cannot approve that"
    remedy = "Have somebody else approve it"


class WaiverWithoutWindowError(RefusedError):
    """A waiver forgives windows that begin within its dates."""

    code = "waiver-without-window"
    rule = "no window of the commitment begins within these dates"
    remedy = "Give dates that include the first day of a window"


class CommitmentEndedError(RefusedError):
    """Released is released: what is told of it holds before that day."""

    code = "commitment-released"
    rule = "the commitment was released"
    remedy = "Tell what held before that day, or agree on a new commitment"


class AlreadyReversedError(RefusedError):
    """A draw or repayment is taken back whole, once."""

    code = "already-reversed"
    rule = "it was reversed before"
    remedy = "Record a new draw or repayment with an id of its own"


class AlreadySettledError(RefusedError):
    """A loan is settled once, until it is renewed."""

    code = "already-settled"
    rule = "the loan was settled on another date"
    remedy = "Correct the date, or renew the loan first"


class HandoverToOwnerError(RefusedError):
    """A handover changes the owner."""

    code = "handover-to-owner"
    rule = "the manager owns the relationship already"
    remedy = "Name another manager"


class NotItsManagerError(RefusedError):
    """Who does not look after a relationship cannot be released from it."""

    code = "not-its-manager"
    rule = "the manager does not have this role on that day"
    remedy = "Correct the manager, the role or the date"


class NobodyOwnsError(RefusedError):
    """A handover goes from one owner to the next."""

    code = "nobody-owns"
    rule = "nobody owns the relationship on that day"
    remedy = "Assign an owner instead"


class TooFewItemsError(RefusedError):
    """An inference stands on at least two hard items (交叉检验)."""

    code = "too-few-items"
    rule = "an inference needs at least two different hard items behind it"
    remedy = "Name another item, such as a bill or a statement"


class HandoverDecidedError(RefusedError):
    """An answer is given once."""

    code = "handover-decided"
    rule = "the handover was accepted or declined before"
    remedy = "Propose a new handover"


class RelationshipEndedError(RefusedError):
    """A relationship ends once."""

    code = "relationship-ended"
    rule = "the relationship was closed or merged before"
    remedy = "Correct the id or the date"


class MergeTargetError(RefusedError):
    """What follows has to find somebody there."""

    code = "merge-target"
    rule = "a relationship merges into another one that was not merged itself"
    remedy = "Name the relationship that lives on"


class SelfReferralError(RefusedError):
    """Nobody brings themselves."""

    code = "self-referral"
    rule = "the prospect is the referrer"
    remedy = "Correct one of the two ids"


class SecondReferrerError(RefusedError):
    """At any date a prospect has at most one live referral."""

    code = "second-referrer"
    rule = "the prospect has another live referral on one of its days"
    remedy = "Decline or lapse the other referral first, or correct the dates"


class ReferralCycleError(RefusedError):
    """At no date may somebody be brought by those they brought."""

    code = "referral-cycle"
    rule = "the prospect brought the referrer, straight or through others, at the same time"
    remedy = "Check who brought whom"


class SelfGuaranteeError(RefusedError):
    """Nobody stands for their own loan."""

    code = "self-guarantee"
    rule = "the guarantor is the borrower"
    remedy = "Correct the guarantor's id, or the loan's"


class ApprovedAloneError(RefusedError):
    """Four eyes."""

    code = "approved-alone"
    rule = "who accrued a reward, or gets it, cannot approve it"
    remedy = "Have somebody else approve it"


class RewardOutOfStepError(RefusedError):
    """What is not approved is not paid; what was paid, or taken back whole, goes no further."""

    code = "reward-out-of-step"
    rule = "a reward is accrued, approved and paid in this order, unless all of it is clawed back"
    remedy = "Look at it with show rewards, and record the step that comes next"


class RewardAlreadyAccruedError(RefusedError):
    """Whose id does not matter: a payee gets one reward by a plan for a prospect."""

    code = "reward-already-accrued"
    rule = "this payee has a reward by this plan for this prospect, under another id"
    remedy = "Look at it with show rewards; if it is wrong, claw all of it back first"


class RewardOverWholeError(RefusedError):
    """Late facts can make somebody else the payee of what was accrued already."""

    code = "reward-over-whole"
    rule = "the payees of one prospect would get more by the plan than its whole reward"
    remedy = "Claw back what was accrued for the wrong payee first"


class ClawedBackTooMuchError(RefusedError):
    """What the payee never got cannot be taken."""

    code = "clawed-back-too-much"
    rule = "more is clawed back than was accrued"
    remedy = "Name all that is clawed back so far, the reward's amount at most"


class ClawedBackLessError(RefusedError):
    """What was taken back stays so: each claw-back tells all of them together."""

    code = "clawed-back-less"
    rule = "less is clawed back in all than was before"
    remedy = "Name all that is clawed back so far: what was before, and what comes now"


class OutcomeIncompleteError(RefusedError):
    """An outcome without its day cannot be placed, nor a day without its outcome."""

    code = "outcome-incomplete"
    rule = "outcome and outcome_on are given together or not at all"
    remedy = "Give both, or neither"


class BalanceMissingError(RefusedError):
    """A close rests on the day's own balances, unless somebody says otherwise."""

    code = "balance-missing"
    rule = "a counted account of a commitment in force has no balance of the day"
    remedy = "Feed the balances of the day, or close it with --carry"


class CloseOutOfOrderError(RefusedError):
    """Days are closed in order, and none before the first one that was."""

    code = "close-out-of-order"
    rule = "the day lies before the first day that was closed"
    remedy = "Name a later day; what was told late is restated by the next close"


class CloseUnfinishedError(RefusedError):
    """A close that was begun is finished before anything else is."""

    code = "close-unfinished"
    rule = "the close of a later day was begun and is not finished"
    remedy = "Close that day again: it goes on where it stopped"


class PacksDifferError(RefusedError):
    """A close that was begun is finished by the policy packs that it was begun with."""

    code = "packs-differ"
    rule = "the close was begun with other policy packs, or with other rules in them"
    remedy = "Finish it with the packs and the release that it was begun with, or by --unjudged"


class CloseTooLongError(RefusedError):
    """So many days are a slip of the year."""

    code = "close-too-long"
    rule = "there are more days up to this one than a call closes"
    remedy = "Check the year, or name a nearer day first"


REFUSALS: tuple[type[RefusedError], ...] = tuple(RefusedError.__subclasses__())
