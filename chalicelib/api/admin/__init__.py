"""The operators' API, /admin."""
