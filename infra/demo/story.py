"""A small story told as a feed: a market trader who brings others, and what they promised.

It plays in the first weeks of the Berka feed beside it: January and February 1993, in CZK. The
supermarket supplier (GX-001) keeps a promise, the garment stall (GX-002) is running late with
one, the project firm (GX-003) missed one; and the supplier's introductions grow into a tree.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FIRST_DAY = date(1993, 1, 4)
LAST_DAY = date(1993, 2, 21)

RELATIONSHIPS = (
    "customer_id,name,kind,segment,branch,manager,opened_on,source",
    "GX-001,Supermarket supplier,enterprise,wholesale,D01,RM-01,1993-01-04,walk-in",
    "GX-002,Garment stall,enterprise,market,D01,RM-01,1993-01-11,referral",
    "GX-003,Project firm,enterprise,construction,D01,RM-02,1993-01-05,walk-in",
    "GX-004,Cold store,enterprise,wholesale,D01,RM-01,1993-01-18,referral",
    "GX-005,Fruit importer,enterprise,wholesale,D01,RM-01,1993-02-01,referral",
    "GX-006,Corner shop,enterprise,retail,D01,RM-02,1993-02-08,referral",
)
ACCOUNTS = (
    "account_id,customer_id,kind,currency,opened_on",
    "GA-001,GX-001,current,CZK,1993-01-04",
    "GA-002,GX-002,current,CZK,1993-01-11",
    "GA-003,GX-003,current,CZK,1993-01-05",
    "GA-004,GX-004,current,CZK,1993-01-18",
    "GA-005,GX-005,current,CZK,1993-02-01",
)
LOANS = (
    "loan_id,customer_id,approved_on,principal,currency,term_months,annual_rate,repayment,purpose",
    "GL-001,GX-001,1993-01-08,500000.00,CZK,12,0.1450,equal_instalment,stock",
    "GL-002,GX-002,1993-01-15,200000.00,CZK,12,0.1550,interest_first,stock",
    "GL-003,GX-003,1993-01-07,400000.00,CZK,24,0.1500,bullet,equipment",
)
COMMITMENTS = (
    "commitment_id,customer_id,loan_id,agreed_on,starts_on,ends_on,metric,window,requirement_kind,"
    "requirement_value,currency,cure_days,consequence_kind,consequence_value",
    "GC-001,GX-001,GL-001,1993-01-08,1993-01-11,1993-12-31,average,month,percent_of_drawn,20,CZK,"
    "10,rate_surcharge_bp,50",
    "GC-002,GX-002,GL-002,1993-01-15,1993-02-01,1993-12-31,average,month,percent_of_drawn,30,CZK,"
    "10,rate_surcharge_bp,80",
    "GC-003,GX-003,GL-003,1993-01-07,1993-01-11,1993-12-31,ending,month,percent_of_drawn,10,CZK,"
    "5,deficiency_fee_bp,100",
)
DRAWS = (
    "draw_id,loan_id,drawn_on,amount,currency",
    "GD-001,GL-001,1993-01-11,500000.00,CZK",
    "GD-002,GL-002,1993-01-18,200000.00,CZK",
    "GD-003,GL-003,1993-01-11,400000.00,CZK",
)
REPAYMENTS = (
    "repayment_id,loan_id,paid_on,principal,interest,currency",
    "GP-001,GL-001,1993-02-11,38500.00,6041.67,CZK",
    "GP-002,GL-002,1993-02-18,0.00,2583.33,CZK",
)
REFERRALS = (
    "referral_id,referrer_id,prospect_id,introduced_on,via,by,branch",
    "GR-001,GX-001,GX-002,1993-01-06,customer,RM-01,D01",
    "GR-002,GX-001,GX-004,1993-01-13,supply_chain,RM-01,D01",
    "GR-003,GX-004,GX-005,1993-01-25,supply_chain,RM-01,D01",
    "GR-004,GX-001,GX-006,1993-02-03,customer,RM-02,D01",
    "GR-005,GX-005,GX-007,1993-02-15,customer,RM-01,D01",
)
CONTACTS = (
    "contact_id,customer_id,happened_at,channel,direction,purpose,outcome,duration_seconds,by,"
    "follow_up_on",
    "GK-001,GX-001,1993-01-07T10:30:00+01:00,visit,outbound,agree_return,agreed,3600,RM-01,",
    "GK-002,GX-001,1993-01-14T15:00:00+01:00,phone,outbound,first_draw,reached,420,RM-01,"
    "1993-01-21",
    "GK-003,GX-001,1993-01-21T09:15:00+01:00,visit,outbound,first_draw,reached,1800,RM-01,"
    "1993-03-20",
    "GK-004,GX-002,1993-02-12T11:00:00+01:00,phone,outbound,deposit_reminder,promised,300,RM-01,"
    "1993-02-19",
    "GK-005,GX-003,1993-02-04T14:00:00+01:00,phone,outbound,missed_commitment,no_answer,0,RM-02,",
)

# End-of-day balances in whole CZK: (from this day on, account, balance).
BALANCES = (
    (date(1993, 1, 4), "GA-001", 60_000),
    (date(1993, 1, 11), "GA-001", 185_000),
    (date(1993, 1, 25), "GA-001", 112_500),
    (date(1993, 2, 10), "GA-001", 131_000),
    (date(1993, 1, 11), "GA-002", 4_000),
    (date(1993, 1, 18), "GA-002", 88_000),
    (date(1993, 2, 3), "GA-002", 31_500),
    (date(1993, 2, 15), "GA-002", 44_000),
    (date(1993, 1, 5), "GA-003", 90_000),
    (date(1993, 1, 27), "GA-003", 6_200),
    (date(1993, 1, 18), "GA-004", 72_000),
    (date(1993, 2, 1), "GA-005", 25_000),
)


def _balance_rows() -> list[str]:
    header = "account_id,business_date,ledger_balance,currency"
    rows, day = [header], FIRST_DAY
    held: dict[str, int] = {}
    while day <= LAST_DAY:
        held.update({account: amount for since, account, amount in BALANCES if since == day})
        rows += [f"{account},{day},{amount}.00,CZK" for account, amount in held.items()]
        day += timedelta(days=1)
    return rows


def write(directory: Path) -> None:
    """Write the story as a feed into an empty directory."""
    files = {
        "relationships": RELATIONSHIPS,
        "accounts": ACCOUNTS,
        "loans": LOANS,
        "commitments": COMMITMENTS,
        "draws": DRAWS,
        "repayments": REPAYMENTS,
        "balances": _balance_rows(),
        "referrals": REFERRALS,
        "contacts": CONTACTS,
    }
    for name, lines in files.items():
        with (directory / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(line.split(",") for line in lines)
