"""What requests cost: `python -m bench` prints the ledger of calls and capacity, and fails where a bound is broken."""
