"""The table records: the action log, and what the console counts and lists. All items expire (TTL)."""
