"""Grants, codes, refresh tokens, and short-lived items."""
