"""App data: the ledger of a user in an app, and the values beside it."""
