"""The edge of every command: its columns as texts, checked, to the domain's command.

One `Form` a command, made from the command's own fields, so that feeds, CLI and HTTP accept the
same columns in the same formats. A malformed value is a `MalformedError`: code, field, value and
what to do.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model, model_validator
from pydantic_core import PydanticCustomError

from domain.commitment import AgreeCommitment, AmendCommitment, Terms
from domain.contact import RecordContact
from domain.deciding import COMMANDS
from domain.finding import RaiseFinding
from domain.values import BASIS_POINT, PERCENT
from infra import columns
from infra.columns import refuse
from infra.fields import columns_of, optional
from infra.malformed import MALFORMED, EmptyValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.deciding import Command
    from domain.values import Ppm
    from infra.malformed import MalformedError

VALUE_CHARS_SHOWN = 80  # of a refused value, in its message
MULTILINE = frozenset({"note"})  # the columns that may hold line breaks

# Columns whose form does not follow from the type of the command's field.
_BY_NAME: Mapping[str, Any] = {
    "accounts": columns.Accounts,
    "annual_rate": columns.Rate,
    "birth_date": columns.DayText,
    "cap_percent": columns.Percent,
    "currency": columns.Currency,
    "ends_on": columns.End,
    "events": columns.EventIds,
    "facts": columns.Facts,
    "happened_at": columns.Moment,
    "items": columns.Items,
    "note": columns.Note,
    "seasonal_profile": columns.Profile,
    "windows_to": columns.End,
}
# Those that hold several values: in JSON they may be lists.
_SEVERAL = frozenset(
    name
    for name, type_ in _BY_NAME.items()
    if type_ in {columns.Accounts, columns.EventIds, columns.Facts, columns.Items, columns.Profile}
)
_AMOUNTS = (
    *("amount", "held", "interest", "ledger_balance", "monthly_payment", "principal"),
    *("total", "through_us"),
    *("opening_equity", "profit", "drawings", "injections", "revaluation", "depreciation"),
    *("equity_now", "whole"),
)
_RENAMED = {"cap_ppm": "cap_percent"}
INTEGER_MAX = 10**64  # in JSON: more digits than any column takes
# Never a column:
_WORKED_OUT = ("today", "happened_on", "utc_offset_minutes", "name_hash", "phone_hash")


class Columns(BaseModel):
    """The columns of a command; null, or a text of nothing but blanks, is a column left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _texts(cls, values: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever was told
        if not isinstance(values, dict):
            refuse("bad-json-value", "not an object of columns")
        return {
            name: text
            for name, value in values.items()
            if value is not None
            and (text := value if type(value) is str else _text(name, value))
            and not text.isspace()
        }


def _text(name: str, value: object) -> str:
    """Return a JSON value as the text a feed would hold; a list of several, one line an item."""
    if isinstance(value, list) and name in _SEVERAL:
        return "\n".join(_plain(name, item) for item in value)
    return _plain(name, value)


def _plain(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if type(value) is int and abs(value) < INTEGER_MAX:
        return str(value)
    raise PydanticCustomError("bad-json-value", "{column}", {"column": name})


class Form:
    """One command's columns, as a pydantic model and as the way to the domain's command."""

    def __init__(self, name: str, cls: type[Command]) -> None:
        self.name = name
        self._cls = cls
        self._dated = "today" in get_type_hints(cls)
        types: dict[str, Any] = _columns(cls)
        title = cls.__name__
        self.model: type[Columns] = create_model(
            title, __base__=Columns, __doc__=cls.__doc__ or "", **types
        )
        self._validate = self.model.__pydantic_validator__.validate_python
        self._parsers = {column: columns.parser_of(type_) for column, (type_, _) in types.items()}
        self._blank = {column: default for column, (_, default) in types.items()}
        self.lists = frozenset(
            name
            for name, (type_, _) in types.items()
            if type_ in {columns.EventIds, columns.Facts, columns.Items}
        )
        self._amounts = tuple(column for column in types if column in _AMOUNTS)
        self._finish = _FINISH.get(cls)
        defaulted = {column for column, (_, default) in types.items() if default is not ...}
        self.optional = tuple(c for c in types if c in defaulted and c != "consequence_value")
        self.required = tuple(column for column in types if column not in self.optional)

    def command(self, values: object) -> Command:
        """Return the command of a map of columns as they were told. Raises `MalformedError`."""
        parsed = self._plainly(values)
        if parsed is not None:
            return self._made_of(parsed)
        try:
            told = self._validate(values)
        except ValidationError as error:
            raise _malformed(error, values) from None
        return self.command_of(told)

    def command_of(self, told: Columns) -> Command:
        """Return the command of validated columns. Raises `MalformedError`."""
        return self._made_of(told.__dict__.copy())

    def _plainly(self, values: object) -> dict[str, Any] | None:
        """Return what the model's own parsers make of texts, None where not all is right.

        In a third of the model's time; what is wrong, and of what type, is left to the model.
        """
        if not isinstance(values, dict):
            return None
        parsed, parsers = self._blank.copy(), self._parsers
        try:
            for name, text in values.items():
                if type(text) is not str:
                    return None
                if text and not text.isspace():
                    parsed[name] = parsers[name](text)
        except (KeyError, ValueError):  # an unknown column, a text that is refused
            return None
        return None if ... in parsed.values() else parsed

    def _made_of(self, values: dict[str, Any]) -> Command:
        for name in self._amounts:
            if values[name] is not None:
                values[name] = columns.minor(name, values[name], values["currency"])
        if self._dated:
            values["today"] = date.min  # the ledger puts its own business date there
        if self._finish:
            self._finish(values)
        return self._cls(**values)


def _columns(cls: type) -> dict[str, tuple[Any, Any]]:
    """Return the type and the default of each column; `...` where it must be filled in."""
    defaults = {f.name: f.default for c in (Terms, cls) for f in fields(c)}
    typed = {}
    for field in columns_of(cls):
        if field.name in _WORKED_OUT:
            continue
        name = _RENAMED.get(field.name, field.name)
        default = defaults[field.name]
        typed[name] = _type(name, field.hint), _DEFAULTS.get(default, default)
    if "consequence_value" in typed:
        typed["consequence_value"] = columns.Amount, None  # `none` has no value
    return typed


def _type(name: str, hint: Any) -> Any:  # noqa: ANN401 - a type as pydantic takes it
    hint, _ = optional(hint)
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name in _AMOUNTS or name == "requirement_value":
        return columns.Amount
    if get_origin(hint) is Literal:
        return columns.choice(get_args(hint))
    if hint is str:
        return columns.Id if name.endswith("_id") else columns.Text
    return {date: columns.Day, int: columns.Count}[hint]


def _happened(values: dict[str, Any]) -> None:
    happened = values["happened_at"]
    values["happened_at"], values["happened_on"] = happened.at, happened.on
    values["utc_offset_minutes"] = happened.offset_minutes


def _evidence(values: dict[str, Any]) -> None:
    values["events"] = values["events"] or ()


def _terms(values: dict[str, Any]) -> None:
    kind = values["requirement_kind"]
    unit = None if kind == "amount" else PERCENT
    values["requirement_value"] = _number("requirement_value", values, unit)
    kind = values["consequence_kind"]
    if values["consequence_value"] is None:
        if kind != "none":
            field = "consequence_value"
            raise EmptyValueError(field, "", f"consequence_kind is {kind}")
        values["consequence_value"] = "0"
    unit = BASIS_POINT if kind.endswith("_bp") else PERCENT
    values["consequence_value"] = _number("consequence_value", values, unit)
    values["cap_ppm"] = values.pop("cap_percent")
    for name in ("accounts", "seasonal_profile"):
        values[name] = values[name] or ()
    values["terms"] = Terms(**{f.name: values.pop(f.name) for f in fields(Terms)})


def _number(name: str, values: dict[str, Any], unit: Ppm | None) -> int:
    """Return minor units where there is no unit, else parts per million."""
    if unit is None:
        return columns.minor(name, values[name], values["currency"])
    return columns.ratio(name, values[name], unit)


def _malformed(error: ValidationError, values: object) -> MalformedError:
    """Return the first thing that is wrong, in the order of the columns."""
    told = values if isinstance(values, dict) else {}
    first = error.errors(include_url=False, include_input=False)[0]
    context = first.get("ctx", {})
    field = str(first["loc"][0]) if first["loc"] else context.get("column", "columns")
    code = first["type"]
    if code == "missing":
        code = "empty-value" if field in told else "missing-column"
    elif code == "extra_forbidden":
        code = "unknown-column"
    value = told.get(field, "")
    shown = value[:VALUE_CHARS_SHOWN] if isinstance(value, str) else value
    return MALFORMED[code](field, shown, context.get("detail", ""))


_DEFAULTS: Mapping[Any, Any] = {MISSING: ..., (): ""}
_FINISH = {
    RecordContact: _happened,
    AgreeCommitment: _terms,
    AmendCommitment: _terms,
    RaiseFinding: _evidence,
}

FORMS: Mapping[str, Form] = {name: Form(name, cls) for name, cls in COMMANDS.items()}
