"""`make bench`: how fast the ledger is, beside what its libraries do alone in the same run."""
