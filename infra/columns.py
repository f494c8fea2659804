"""The types of the feeds' columns: texts to domain values, each text refused by its own code.

The parsers run for every row of every feed, so the ones whose values repeat keep what they
parsed. They raise `PydanticCustomError` with a code of `infra/malformed.py`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, NoReturn, TypeAlias, cast

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from domain.checks import spelled
from domain.commitment import CountedAccount
from domain.values import PERCENT, Instant, Minor, Ppm, minor_digits
from infra.malformed import MalformedError, NumberTooLargeError, TooManyDecimalsError
from projections.policy.evidence import FACT_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

ID_CHARS_MAX = 64
TEXT_CHARS_MAX = 500
NOTE_CHARS_MAX = 10_000
ITEMS_MAX = 50  # hard items of one cross-check, facts or events of one finding
ACCOUNTS_MAX = 200  # accounts counted by one commitment
COUNT_MAX = 1_000_000  # days, months or seconds in one column
DIGITS_MAX = 18  # of a number in its smallest unit: what fits 64 bits
FIRST_DAY = date(1800, 1, 1)
# What happened later is a slip of the pen; an end may be left open with 9999-12-31.
LAST_DAY = date(2999, 12, 31)
PARSED_MAX = 65_536  # distinct texts kept parsed, a type

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DECIMAL = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_COUNT = re.compile(r"\d+", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNFIT_IN_NOTE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_COUNTED = re.compile(r"(.+?)(?:@([-\d]*)/([-\d]*))?")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MINUTE = timedelta(minutes=1)


class Happened(NamedTuple):
    """An instant in microseconds since 1970 UTC, and its date and offset (east) as written."""

    at: Instant
    on: date
    offset_minutes: int


def refuse(code: str, detail: str = "") -> NoReturn:
    """Refuse a value from within a validator."""
    raise PydanticCustomError(code, "{detail}", {"detail": detail})


@lru_cache(PARSED_MAX)
def parse_id(text: str) -> str:
    """Return an id: 1 to 64 printable characters without spaces."""
    if not (0 < len(text) <= ID_CHARS_MAX and text.isprintable() and " " not in text):
        refuse("bad-id")
    return text


@lru_cache(PARSED_MAX)
def parse_day(text: str) -> date:
    """Return the date of a text that is exactly `YYYY-MM-DD`, not after `LAST_DAY`."""
    day = parse_end(text)
    return day if day <= LAST_DAY else refuse("bad-date", f"the last is {LAST_DAY}")


@lru_cache(PARSED_MAX)
def parse_end(text: str) -> date:
    """Return the date of a text that is exactly `YYYY-MM-DD`, 9999-12-31 for an open end."""
    if not _DAY.fullmatch(text):
        refuse("bad-date")
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        refuse("bad-date", str(error))
    return day if day >= FIRST_DAY else refuse("bad-date")


def parse_day_text(text: str) -> str:
    """Return a text that is a date: personal values stay texts."""
    parse_day(text)
    return text


@lru_cache(PARSED_MAX)
def parse_instant(text: str) -> Happened:
    """Return the instant of an ISO 8601 text with its offset."""
    if not _INSTANT.fullmatch(text):
        refuse("bad-instant")
    try:
        moment = datetime.fromisoformat(text)
        offset = (moment.utcoffset() or timedelta(0)) // _MINUTE
        happened = Happened((moment - _EPOCH) // _MICROSECOND, moment.date(), offset)
    except (ValueError, OverflowError) as error:
        refuse("bad-instant", str(error))
    return happened if FIRST_DAY <= happened.on <= LAST_DAY else refuse("bad-instant")


def parse_decimal(text: str) -> str:
    """Return a text that is a plain decimal number; what it counts comes from other columns."""
    return text if _DECIMAL.fullmatch(text) else refuse("bad-amount")


@lru_cache(PARSED_MAX)
def parse_rate(text: str) -> str:
    """Return a decimal number without needless zeros: `0.0450` is `0.045`, `0.0000` is `0`."""
    if not _DECIMAL.fullmatch(text) or len(text) > ID_CHARS_MAX:
        refuse("bad-number", "a rate is a plain decimal number, such as 0.045")
    whole, _, decimals = text.partition(".")
    return f"{whole.lstrip('0') or '0'}.{decimals}".rstrip("0").rstrip(".")


@lru_cache(PARSED_MAX)
def parse_count(text: str) -> int:
    """Return a whole number, not negative."""
    if not _COUNT.fullmatch(text):
        refuse("bad-number", "a whole number, not negative")
    if len(text) > len(str(COUNT_MAX)) or int(text) > COUNT_MAX:
        refuse("number-too-large", f"at most {COUNT_MAX:,}")
    return int(text)


@lru_cache(PARSED_MAX)
def parse_currency(text: str) -> str:
    """Return three capital letters."""
    return text if _CURRENCY.fullmatch(text) else refuse("bad-currency")


@lru_cache(PARSED_MAX)
def parse_percent(text: str) -> Ppm:
    """Return a percentage with at most four decimals as parts per million."""
    if not _DECIMAL.fullmatch(text):
        refuse("bad-number", "a percentage is a plain decimal number, such as 12.5")
    try:
        return ratio("", text, PERCENT)
    except MalformedError as error:
        refuse(error.code, error.detail)


def parse_text(text: str) -> str:
    """Return one line of text, without the blanks around it."""
    text = text.strip(" \u3000")
    if not text.isascii() and not spelled(text):
        refuse("empty-value", "nothing of it is seen")
    if len(text) > TEXT_CHARS_MAX:
        refuse("text-too-long", f"at most {TEXT_CHARS_MAX} characters")
    return refuse("bad-text") if _UNFIT.search(text) else text


def parse_note(text: str) -> str:
    """Return text of any number of lines."""
    if len(text) > NOTE_CHARS_MAX:
        refuse("text-too-long", f"at most {NOTE_CHARS_MAX:,} characters")
    return refuse("bad-text") if _UNFIT_IN_NOTE.search(text) else text


def parse_items(text: str) -> tuple[str, ...]:
    """Return the lines of a text, each an item."""
    items = tuple(parse_text(item.strip()) for item in text.splitlines() if item.strip())
    if len(items) > ITEMS_MAX:
        refuse("text-too-long", f"at most {ITEMS_MAX} items")
    return items


def parse_event_ids(text: str) -> tuple[str, ...]:
    """Return the lines of a text, each the id of an event."""
    ids = parse_items(text)
    unfit = [id_ for id_ in ids if not _UUID.fullmatch(id_)]
    return refuse("bad-event-id", unfit[0]) if unfit else ids


def parse_facts(text: str) -> tuple[str, ...]:
    """Return the lines of a text, each the key of a fact: `kind:id`."""
    facts = parse_items(text)
    for fact in facts:
        kind, _, id_ = fact.partition(":")
        if kind not in FACT_KINDS:
            refuse("bad-fact", f"{fact}: its kind is none of {', '.join(sorted(FACT_KINDS))}")
        if " " in fact or not id_:
            refuse("bad-fact", fact)
    return facts


def parse_accounts(text: str) -> tuple[CountedAccount, ...]:
    """Return the accounts of `ID ID@FROM/TO …`."""
    words = text.split()
    if len(words) > ACCOUNTS_MAX:
        refuse("bad-accounts", f"at most {ACCOUNTS_MAX}")
    return tuple(map(_counted, words))


def _counted(word: str) -> CountedAccount:
    account_id, first, last = _COUNTED.fullmatch(word).groups()  # type: ignore[union-attr]  # any word matches
    counted_from, counted_to = (parse_end(day) if day else None for day in (first, last))
    return CountedAccount(
        account_id=parse_id(account_id), counted_from=counted_from, counted_to=counted_to
    )


def parse_profile(text: str) -> tuple[Ppm, ...]:
    """Return twelve percentages as parts per million."""
    return tuple(map(parse_percent, text.split()))


def minor(field: str, text: str, currency: str) -> Minor:
    """Return a decimal text as minor units of a currency. Raises `MalformedError`."""
    return _scaled(field, text, minor_digits(currency), currency)


def ratio(field: str, text: str, unit: Ppm) -> Ppm:
    """Return a decimal text that counts percents or basis points. Raises `MalformedError`."""
    digits, name = (4, "a percentage") if unit == PERCENT else (2, "a basis point")
    return _scaled(field, text, digits, name)


def _scaled(field: str, text: str, digits: int, of: str) -> int:
    whole, _, decimals = text.partition(".")
    if len(decimals) > digits:
        raise TooManyDecimalsError(field, text[:TEXT_CHARS_MAX], f"{of} has {digits}")
    if len(whole) > DIGITS_MAX - digits:
        raise NumberTooLargeError(field, text[:TEXT_CHARS_MAX])
    return int(whole + decimals.ljust(digits, "0"))


def _json(kind: str = "string", **more: object) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, **more})


_AMOUNT_TEXT = "decimal number in units of the currency, with at most its digits"
Id: TypeAlias = Annotated[
    str,
    PlainValidator(parse_id),
    _json(minLength=1, maxLength=ID_CHARS_MAX, pattern=r"^\S+$"),
]
Day: TypeAlias = Annotated[date, PlainValidator(parse_day), _json(format="date")]
End: TypeAlias = Annotated[date, PlainValidator(parse_end), _json(format="date")]
DayText: TypeAlias = Annotated[str, PlainValidator(parse_day_text), _json(format="date")]
Moment: TypeAlias = Annotated[Happened, PlainValidator(parse_instant), _json(format="date-time")]
Amount: TypeAlias = Annotated[
    str,
    PlainValidator(parse_decimal),
    _json(pattern=r"^-?\d+(\.\d+)?$", description=_AMOUNT_TEXT),
]
Rate: TypeAlias = Annotated[str, PlainValidator(parse_rate), _json(pattern=r"^-?\d+(\.\d+)?$")]
Percent: TypeAlias = Annotated[
    Ppm,
    PlainValidator(parse_percent),
    _json(pattern=r"^\d+(\.\d{1,4})?$", description="percentage"),
]
Count: TypeAlias = Annotated[
    int, PlainValidator(parse_count), _json("integer", minimum=0, maximum=COUNT_MAX)
]
Currency: TypeAlias = Annotated[
    str, PlainValidator(parse_currency), _json(pattern="^[A-Z]{3}$", description="ISO 4217")
]
Text: TypeAlias = Annotated[
    str, PlainValidator(parse_text), _json(minLength=1, maxLength=TEXT_CHARS_MAX)
]
Note: TypeAlias = Annotated[str, PlainValidator(parse_note), _json(maxLength=NOTE_CHARS_MAX)]
Items: TypeAlias = Annotated[
    tuple[str, ...],
    PlainValidator(parse_items),
    _json("array", items={"type": "string"}, maxItems=ITEMS_MAX),
]
EventIds: TypeAlias = Annotated[
    tuple[str, ...],
    PlainValidator(parse_event_ids),
    _json("array", items={"type": "string", "format": "uuid"}, maxItems=ITEMS_MAX),
]
Facts: TypeAlias = Annotated[
    tuple[str, ...],
    PlainValidator(parse_facts),
    _json("array", items={"type": "string", "pattern": r"^[a-z-]+:\S+$"}, maxItems=ITEMS_MAX),
]
Accounts: TypeAlias = Annotated[
    tuple[CountedAccount, ...],
    PlainValidator(parse_accounts),
    _json(description="ids joined by spaces, each optionally ID@FROM/TO"),
]
Profile: TypeAlias = Annotated[
    tuple[Ppm, ...],
    PlainValidator(parse_profile),
    _json(description="twelve percentages joined by spaces, January first"),
]


def parser_of(column: Any) -> Callable[[str], Any]:  # noqa: ANN401 - one of the types above
    """Return the function that parses the texts of a type of column."""
    [validator] = [each for each in column.__metadata__ if isinstance(each, PlainValidator)]
    return cast("Callable[[str], Any]", validator.func)


def choice(values: tuple[str, ...]) -> Any:  # noqa: ANN401 - a type made at run time
    """Return the type of a column that takes one of a few values."""
    allowed = {value: value for value in values}

    def parse(text: str) -> str:
        return allowed.get(text) or refuse("bad-choice", ", ".join(values))

    return Annotated[str, PlainValidator(parse), _json(enum=list(values))]
