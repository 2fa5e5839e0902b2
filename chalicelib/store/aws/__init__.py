"""Access to AWS: clients, transactions, failures, limits."""
