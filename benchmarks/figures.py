"""A figure of the table, and how ours and a peer are measured side by side."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Rate: TypeAlias = float  # a second
Seconds: TypeAlias = float


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table. `value` is compared with `target`, in the same unit.

    `at_most` tells a limit from a figure to reach; a target of None is told, not judged.
    """

    measure: str
    ours: str
    peer: str
    value: float
    unit: str
    target: float | None = None
    at_most: bool = False

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached, None where there is none."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target


def compared(
    measure: str,
    target: float | None,
    rounds: int,
    ours: Callable[[], Rate],
    peer: Callable[[], Rate],
    unit: str = "events/s",
) -> Figure:
    """Measure both in turns and return the median of the rounds' ratios.

    In turns, so that what else the machine does meets both.
    """
    pairs = [(ours(), peer()) for _ in range(rounds)]
    rates = (median(pair[0] for pair in pairs), median(pair[1] for pair in pairs))
    ratio = median(mine / theirs for mine, theirs in pairs)
    return Figure(measure, told(rates[0], unit), told(rates[1], unit), ratio, "×", target)


def taken(
    measure: str,
    target: float,
    rounds: int,
    ours: Callable[[], Seconds],
    peer: Callable[[], Seconds],
) -> Figure:
    """Measure both in turns and return the median of how many times the peer's time ours takes."""
    pairs = [(ours(), peer()) for _ in range(rounds)]
    mine, theirs = (f"{median(pair[side] for pair in pairs):.3g} s" for side in (0, 1))
    ratio = median(pair[0] / pair[1] for pair in pairs)
    return Figure(measure, mine, theirs, ratio, "×", target, at_most=True)


def told(rate: Rate, unit: str) -> str:
    """Return a rate in words, to three digits."""
    return f"{float(f'{rate:.3g}'):,.0f} {unit}"
