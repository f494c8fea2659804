"""Values that cannot be represented: how a command can be malformed before any rule is asked.

One class per kind of mistake; `code` is the public, stable name, as in `domain/errors.py`.
"""

from __future__ import annotations

from domain.errors import RefusedError


class MalformedError(RefusedError):
    """A value is not of its column's form."""


class MissingColumnError(MalformedError):
    """A column that must be there is not."""

    code = "missing-column"
    rule = "is required"
    remedy = "Add it"

    def __str__(self) -> str:
        """Return the column and what to do: it has no value."""
        return f"{self.field} {self.rule}. {self.remedy}."


class UnknownColumnError(MalformedError):
    """A column that the command does not have."""

    code = "unknown-column"
    rule = "is no column of this command"
    remedy = "Leave it out"


class EmptyValueError(MalformedError):
    """A required column is empty."""

    code = "empty-value"
    rule = "must not be empty"
    remedy = "Fill it in"


class BadDateError(MalformedError):
    """Not a date."""

    code = "bad-date"
    rule = "is not a date of the calendar from 1800-01-01 on"
    remedy = "Write YYYY-MM-DD, such as 1994-03-31"


class BadInstantError(MalformedError):
    """Not an instant with its offset."""

    code = "bad-instant"
    rule = "is not an instant with an offset"
    remedy = "Write it as 1994-03-31T09:30:00+01:00"


class BadAmountError(MalformedError):
    """Not a decimal number."""

    code = "bad-amount"
    rule = "is not an amount"
    remedy = "Write a plain decimal number, such as 1234.50"


class TooManyDecimalsError(MalformedError):
    """More decimals than the currency or the unit has."""

    code = "too-many-decimals"
    rule = "has too many decimals"
    remedy = "Round it where it was made"


class NumberTooLargeError(MalformedError):
    """Beyond what the ledger holds."""

    code = "number-too-large"
    rule = "is too large"
    remedy = "Check its unit"


class BadNumberError(MalformedError):
    """Not a number of the kind the column holds."""

    code = "bad-number"
    rule = "is not a number of the right kind"
    remedy = "Write plain digits"


class BadIdError(MalformedError):
    """Not an id."""

    code = "bad-id"
    rule = "is not an id"
    remedy = "Use 1 to 64 printable characters without spaces"


class BadCurrencyError(MalformedError):
    """Not a currency."""

    code = "bad-currency"
    rule = "is not a currency"
    remedy = "Write the three capital letters of ISO 4217, such as CNY"


class BadChoiceError(MalformedError):
    """None of the values the column can take."""

    code = "bad-choice"
    rule = "is none of the choices"
    remedy = "Take one of them, written exactly so"


class BadTextError(MalformedError):
    """Text with characters that cannot be stored or shown."""

    code = "bad-text"
    rule = "holds a character that text cannot hold"
    remedy = "Remove control characters (NUL among them) and lone surrogates"


class BadJsonError(MalformedError):
    """A JSON value that is neither a text, a whole number nor a list of them."""

    code = "bad-json-value"
    rule = "is neither a text nor a whole number"
    remedy = 'Write it as a text, such as "1.10"'


class TextTooLongError(MalformedError):
    """Text beyond the limit."""

    code = "text-too-long"
    rule = "is too long"
    remedy = "Shorten it"


class BadAccountsError(MalformedError):
    """Not a list of counted accounts."""

    code = "bad-accounts"
    rule = "is not a list of accounts"
    remedy = "Join ids by spaces, each optionally ID@FROM/TO with ISO dates"


class BadEventIdError(MalformedError):
    """Not the id of an event."""

    code = "bad-event-id"
    rule = "is not the id of an event, a UUID"
    remedy = "Take it from the customer's timeline"


class BadFactError(MalformedError):
    """Not the key of a fact."""

    code = "bad-fact"
    rule = "is not the key of a fact"
    remedy = "Write kind and id, such as draw:D05314-1"


class EventTooLargeError(MalformedError):
    """More than an event can hold."""

    code = "event-too-large"
    rule = "is more than one event can hold"
    remedy = "Shorten its texts"


MALFORMED: dict[str, type[MalformedError]] = {
    error.code: error for error in MalformedError.__subclasses__()
}
