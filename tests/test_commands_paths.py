"""The two ways from columns to a command: its parsers alone, and the model that can explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.errors import RefusedError
from infra.commands import FORMS

if TYPE_CHECKING:
    from infra.commands import Form

_TEXTS = ("", " ", "A7", "1994-03-31", "12.50", "12.505", "CZK", "current", "none", "A 7", "\0")
_OTHERS: tuple[object, ...] = (None, 0, 5, False, [], ["A7"], 1.5, {})
_COLUMNS = st.dictionaries(
    st.sampled_from(["account_id", "business_date", "ledger_balance", "currency", "held", "x"]),
    st.sampled_from(_TEXTS + _OTHERS),
)
_BALANCE = {
    "account_id": "A7",
    "business_date": "1994-03-31",
    "ledger_balance": "12.50",
    "currency": "CZK",
}


def by_model(form: Form, values: Any) -> object:  # noqa: ANN401 - whatever was told
    try:
        return form.command_of(form.model.model_validate(values))
    except (ValidationError, RefusedError):
        return None


def by_command(form: Form, values: Any) -> object:  # noqa: ANN401 - as above
    try:
        return form.command(values)
    except RefusedError:
        return None


@given(_COLUMNS, st.booleans())
@settings(max_examples=50)
def test_a_command_is_what_the_model_makes_of_it(told: dict[str, Any], whole: bool) -> None:  # noqa: FBT001 - drawn
    values = _BALANCE | told if whole else told
    assert by_command(FORMS["record-balance"], values) == by_model(FORMS["record-balance"], values)


@pytest.mark.parametrize("values", [None, [], "A7", {"account_id": 0}, {"account_id": False}])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_what_is_no_text_is_left_to_the_model(form: Form, values: object) -> None:
    assert by_command(form, values) == by_model(form, values) is None


@pytest.mark.parametrize("blank", ["", None])
def test_a_blank_column_is_left_out_on_both_ways(blank: str | None) -> None:
    form, values = FORMS["record-balance"], _BALANCE | {"held": blank}
    assert by_command(form, values) == by_model(form, values) == form.command(_BALANCE)
