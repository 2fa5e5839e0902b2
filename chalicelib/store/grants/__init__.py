"""Grants, codes and refresh tokens; short-lived items."""
