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
