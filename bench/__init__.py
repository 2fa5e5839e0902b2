"""The cost of requests: `python -m bench` prints the ledger of calls and capacity, and fails if a bound is broken."""
