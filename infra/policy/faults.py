"""What is wrong with a pack, in words that say what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.toml_values import as_told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationError

# By the key, or else by what pydantic calls the mistake.
_WRITE: Mapping[str, str] = {
    "id": "write capital letters, a hyphen and two digits, such as OURS-01",
    "jurisdiction": "write small letters alone, such as ours",
    "date_type": "write a date without quotes, such as 2020-06-01",
    "dict_type": "write it as a table, [rules.parameters]",
    "greater_than_equal": "write {ge} or more",
    "less_than_equal": "write {le} or less",
    "int_type": "write a whole number without quotes",
    "list_type": "write each rule under [[rules]]",
    "literal_error": "write one of {expected}",
    "model_type": "write each rule under [[rules]]",
    "string_pattern_mismatch": "write something",
    "string_too_short": "write something",
    "string_type": "write a text in quotes",
    "too_short": "name at least one",
    "tuple_type": 'write a list, such as ["a", "b"]',
    "value_error": "{error}",
}


def fault(place: str, error: ValidationError) -> str:
    """Return the first mistake: the place, the key, the value and what to do."""
    first = error.errors(include_url=False)[0]
    *path, key = first["loc"]
    if isinstance(key, int):  # of a list
        key = path.pop()
    if path:  # `rules`, and the number of one
        place = f"{place}: rule {int(path[1]) + 1}"
    if first["type"] == "missing":
        return f"{place}: {key} is missing: add it"
    if first["type"] == "extra_forbidden":
        return f"{place}: {key} is no key of this place: leave it out, or correct its spelling"
    told = first["input"]
    write = _WRITE.get(str(key)) or _WRITE.get(first["type"])
    what = write.format(**first.get("ctx", {})) if write else first["msg"]
    return f"{place}: {key} = {as_told(told)}: {what}"
