"""What the relay's tests share: a ledger to fill, a relay to kill, and the topics' auditor."""
