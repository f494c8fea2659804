"""What the cluster's tests share: a feed, a ledger with its topics, processes to kill."""
