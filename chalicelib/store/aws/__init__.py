"""The door to AWS: clients, transactions, failures, limits."""
