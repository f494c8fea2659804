"""The peer of compliance: the windows of `benchmarks.deposits` as an analyst computes them.

The CSV files are read, the balances laid out account by day, and the sums of all windows made
at once. It knows what that feed holds and no more: one account a commitment, monthly windows
that have ended, a fixed amount, a cap, days carried over; no cure, no amendment, no history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CARRIED_DAYS_MAX = 7
METRICS = ["average", "minimum", "ending"]


# Of a window: its commitment, its ends, days, balance-days; the shortfall None where not known.
Figures: TypeAlias = tuple[str | int | None, ...]
COLUMNS = (
    "commitment_id",
    "window_start",
    "window_end",
    "days",
    "carried_days",
    "unknown_days",
    "balance_days",
    "required_days",
    "shortfall",
    "status",
)


def windows(feed: Path) -> pd.DataFrame:
    """Return the figures of every window of a feed, a row each, commitment by commitment."""
    commitments = pd.read_csv(feed / "commitments.csv", parse_dates=["starts_on", "ends_on"])
    accounts = pd.read_csv(feed / "accounts.csv", usecols=["account_id", "customer_id"])
    balances = pd.read_csv(
        feed / "balances.csv",
        usecols=["account_id", "business_date", "ledger_balance"],
        parse_dates=["business_date"],
    )
    balances["minor"] = (balances["ledger_balance"] * 100).round()
    told = commitments.merge(accounts, on="customer_id").set_index("commitment_id")
    told["required"] = (told["requirement_value"] * 100).round()
    days = pd.date_range(told["starts_on"].min(), told["ends_on"].max())
    seen = balances.pivot(index="account_id", columns="business_date", values="minor")  # noqa: PD010 - nothing to aggregate
    seen = seen.reindex(index=told["account_id"], columns=days).set_axis(told.index)
    held = seen.ffill(axis=1, limit=CARRIED_DAYS_MAX).clip(lower=0)
    ceiling = np.floor(told["required"] * told["cap_percent"] / 100 + 0.5).fillna(np.inf)
    return _tested(told, seen, held.clip(upper=ceiling, axis=0))


def _tested(told: pd.DataFrame, seen: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """Return the windows' sums, gaps and statuses; both frames have a column a day."""
    of_month = held.columns.to_period("M")
    by_month, ends = held.T.groupby(of_month), held.columns.is_month_end
    columns = {
        "carried_days": (seen.isna() & held.notna()).T.groupby(of_month).sum(),
        "unknown_days": held.isna().T.groupby(of_month).sum(),
        "balance_days": by_month.sum(),
        "lowest": by_month.min(),
        "final": held.T[ends].set_axis(of_month[ends]),
        "observed": seen.notna().T[ends].set_axis(of_month[ends]),
    }
    windows = pd.DataFrame({name: months.T.stack() for name, months in columns.items()})  # noqa: PD013 - the months are an index
    windows = windows.join(told[["metric", "required"]], on="commitment_id")
    month = windows.index.get_level_values(1)
    windows["window_start"], windows["window_end"] = month.start_time, month.end_time
    windows["days"] = month.days_in_month
    windows["required_days"] = windows["required"] * windows["days"]
    is_metric = [windows["metric"] == metric for metric in METRICS]
    gaps = [
        windows["required_days"] - windows["balance_days"],
        windows["required"] - windows["lowest"],
        windows["required"] - windows["final"],
    ]
    known = (windows["unknown_days"] == 0) & (windows["observed"] | ~is_metric[2])
    shortfall = pd.Series(np.select(is_metric, gaps), windows.index).clip(lower=0)
    windows["shortfall"] = shortfall.where(known)
    statuses = np.where(shortfall > 0, "breached", "met")
    windows["status"] = np.where(known, statuses, "unknown")
    return windows.reset_index()


def figures(windows: pd.DataFrame) -> Iterator[Figures]:
    """Yield the rows of `windows` as plain values."""
    for row in windows[list(COLUMNS)].itertuples(index=False):
        id_, start, end, *sums, shortfall, status = row
        short = None if pd.isna(shortfall) else int(shortfall)
        yield id_, f"{start:%F}", f"{end:%F}", *map(int, sums), short, status
