"""How an event of an old version becomes one of the next: a pure function, dict to dict.

Keyed by (stored name, old version). The codec keeps sealed values out of an upcaster's hands:
they are bound to their event and field, so no upcaster could rename or change one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

Data: TypeAlias = dict[str, Any]
Upcaster: TypeAlias = Callable[[Data], Data]

UPCASTERS: dict[tuple[str, int], Upcaster] = {}
